// Files that come with the program, and reading and writing whole ones.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace byhand::cli {

// The path of a file that is shipped ("data/names.txt"): beside the installed program, else in the source tree.
std::string shipped(const std::string& name);

// The names of the shipped recipes, sorted.
std::vector<std::string> shipped_recipes();

// The whole file, at most `limit` bytes. Throws InputError: larger, or as open_regular does.
std::string read_text(const std::string& path, std::size_t limit);

// Before long work: throws InputError where write_text would not be able to write there, as far as can be told.
void check_text_can_be_written(const std::string& path);

// Writes the whole file, beside its place and then renamed; through a link, and into a device or a pipe. Throws
// InputError where that fails.
void write_text(const std::string& path, std::string_view text);

}  // namespace byhand::cli
