// Looking into what was printed.
#pragma once

#include <sstream>
#include <string>
#include <vector>

// In no namespace of byhand's: the tests of the program have a function of that name.
namespace text {

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

inline std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

}  // namespace text
