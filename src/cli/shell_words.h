// Quoting of printed commands, for copying into a shell.
#pragma once

#include <string>

namespace byhand::cli {

// The word, quoted for a shell if needed. Control characters and bytes that are not UTF-8 are escaped as in $'\x1b'.
std::string quoted(const std::string& word);

}  // namespace byhand::cli
