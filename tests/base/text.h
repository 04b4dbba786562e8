// Looking into what was printed.
#pragma once

#include <string>
#include <vector>

// In no namespace of byhand's: the tests of the program have a function of that name.
namespace text {

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::vector<std::string> lines_of(const std::string& text);

}  // namespace text
