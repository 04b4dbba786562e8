// The file of byhand exercise, filled in by the tests, and what the program says of it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "cli/bodies.h"
#include "cli/program.h"

namespace cli_test {

using Names = std::set<std::string>;

// Writes the shipped exercise with these bodies to mine.cpp.
void fill_in(const Folder& folder, const Bodies& bodies);

// The state of each gradient in the report's table: "right", "wrong" or "to do". In one formula: "dlogits in one".
std::map<std::string, std::string> standings(const Outcome& outcome);

Names those_that_are(const std::string& standing, const Outcome& outcome);

// Compiling takes most of the time, and most tests are about the steps after it.
Environment fast_build_wide_report();

// byhand exercise mine.cpp, compiled without optimisation.
Outcome exercise(const Folder& folder, const Arguments& more = {});

bool says(const Outcome& outcome, const std::string& text);

}  // namespace cli_test
