// Searches in output.
#pragma once

#include <string>
#include <vector>

// Outside byhand's namespace: the program's tests have a function of that name.
namespace text {

inline bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

std::vector<std::string> lines_of(const std::string& text);

}  // namespace text
