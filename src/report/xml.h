// Test reports in JUnit's XML, valid by Ant's schema and by Jenkins' own.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace byhand::report {

enum class Outcome { passed, failed, skipped };

struct Case {
    std::string classname, name;
    Outcome outcome = Outcome::passed;
    std::string type;     // of a failure: the verdict
    std::string message;  // in one line
    std::string text;     // all figures
};

struct Suite {
    std::string name, package;
    std::vector<std::pair<std::string, std::string>> properties;
    std::vector<Case> cases;
};

// For an attribute or between tags. Characters that are invalid in XML become U+FFFD, and those that change the text
// direction or end the line are written as printable() writes them.
std::string escaped(std::string_view text);

// Times are 0 and dates 1970, because they are not measured. Text is escaped.
std::string junit(const std::vector<Suite>& suites);

}  // namespace byhand::report
