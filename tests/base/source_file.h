// Files of the project, by their path in it.
#pragma once

#include <string>

namespace text {

std::string source_path(const std::string& path);
std::string source_file(const std::string& path);  // its bytes

// A recipe of the tests: "dropout", "listed", "no-gain".
std::string test_recipe(const std::string& name);

}  // namespace text
