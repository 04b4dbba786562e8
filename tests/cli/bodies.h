// The functions of exercise/backward.cpp, filled in.
#pragma once

#include <map>
#include <string>

namespace cli_test {

using Bodies = std::map<std::string, std::string>;  // by function

// The bodies of tests/cli/solution.txt.
Bodies right_bodies();

// One line of a body exchanged for another. The body must have it exactly once.
Bodies with(Bodies bodies, const std::string& name, const std::string& line, const std::string& other);

// With int loop variables: for (int i = 0; i < out.size(0); ++i).
Bodies counted_by_int(Bodies bodies);

// The shipped file with these bodies.
std::string filled_in(const Bodies& bodies);

}  // namespace cli_test
