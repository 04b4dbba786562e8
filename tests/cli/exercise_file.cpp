#include "cli/exercise_file.h"

#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <sstream>

namespace cli_test {

std::string source_file(const std::string& path) {
    std::ifstream file(BYHAND_SOURCES "/" + path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Bodies right_bodies() {
    Bodies bodies;
    std::string name;
    for (const std::string& line : lines_of(source_file("tests/cli/solution.txt"))) {
        if (line.starts_with("== ")) {
            name = line.substr(3);
        } else if (!name.empty() && !line.empty()) {
            bodies[name] += line + "\n";
        }
    }
    return bodies;
}

Bodies with(Bodies bodies, const std::string& name, const std::string& line, const std::string& other) {
    std::string& body = bodies.at(name);
    const std::size_t at = body.find(line);
    REQUIRE(at != std::string::npos);
    REQUIRE(body.find(line, at + 1) == std::string::npos);
    body.replace(at, line.size(), other);
    return bodies;
}

Bodies counted_by_int(Bodies bodies) {
    for (auto& [name, body] : bodies) {
        const std::string loop = "for (std::size_t ";
        for (std::size_t at = body.find(loop); at != std::string::npos; at = body.find(loop, at)) {
            body.replace(at, loop.size(), "for (int ");
        }
    }
    return bodies;
}

void fill_in(const Folder& folder, const Bodies& bodies) {
    std::string text = source_file("exercise/backward.cpp");
    for (const auto& [name, body] : bodies) {
        const std::size_t begins = text.find("void " + name + "(");
        REQUIRE(begins != std::string::npos);
        const std::size_t at = text.find("{}", begins);
        REQUIRE(at != std::string::npos);
        text.replace(at, 2, "{\n" + body + "}");
    }
    folder.write("mine.cpp", text);
}

std::map<std::string, std::string> standings(const Outcome& outcome) {
    std::map<std::string, std::string> all;
    std::string suffix;
    for (const std::string& line : lines_of(outcome.out)) {
        if (line == "in one formula") {
            suffix = " in one";
        }
        std::istringstream words(line);
        std::string name, standing;
        if (line.starts_with("  d") && words >> name >> standing) {
            if (standing == "to") {
                standing = "to do";
            }
            all[name + suffix] = standing;
        }
    }
    return all;
}

Names those_that_are(const std::string& standing, const Outcome& outcome) {
    Names names;
    for (const auto& [name, its] : standings(outcome)) {
        if (its == standing) {
            names.insert(name);
        }
    }
    return names;
}

Environment fast_build_wide_report() {
    return {{"CXXFLAGS", "-O0"}, {"COLUMNS", "300"}};
}

Outcome exercise(const Folder& folder, const Arguments& more) {
    return byhand(folder, Arguments{"exercise", "mine.cpp", "--verbose"} + more, fast_build_wide_report());
}

bool says(const Outcome& outcome, const std::string& text) {
    return text::contains(outcome.out, text);
}

}  // namespace cli_test
