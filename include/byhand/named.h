// Names of what is checked.
#pragma once

#include <source_location>
#include <string>
#include <utility>

namespace byhand {

// A name and the place in your source where it is written.
struct Named {
    std::string name;
    std::source_location where;

    Named(const char* its_name,  // NOLINT(google-explicit-constructor): a name is written as such
          std::source_location its_place = std::source_location::current())
        : name(its_name), where(its_place) {}
    Named(std::string its_name,  // NOLINT(google-explicit-constructor)
          std::source_location its_place = std::source_location::current())
        : name(std::move(its_name)), where(its_place) {}
};

// "softmax_test.cpp:12"; empty if the place is unknown, as it is in C.
inline std::string place_of(const Named& named) {
    const std::string file = named.where.file_name();
    return file.empty() ? "" : file.substr(file.find_last_of('/') + 1) + ":" + std::to_string(named.where.line());
}

// "softmax (softmax_test.cpp:12)", or "softmax".
inline std::string name_and_place(const Named& named) {
    const std::string place = place_of(named);
    return named.name + (place.empty() ? "" : " (" + place + ")");
}

}  // namespace byhand
