#include "cli/exercise_file.h"

#include <sstream>

namespace cli_test {

void fill_in(const Folder& folder, const Bodies& bodies) {
    folder.write("mine.cpp", filled_in(bodies));
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
    return byhand(folder, "exercise mine.cpp --verbose" + more, fast_build_wide_report());
}

bool says(const Outcome& outcome, const std::string& text) {
    return text::contains(outcome.out, text);
}

}  // namespace cli_test
