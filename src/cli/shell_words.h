// Commands that people copy from what is printed.
#pragma once

#include <string>

namespace byhand::cli {

// The word as a shell takes it for one. Control characters and bytes that are no UTF-8 are escaped as in $'\x1b'.
std::string quoted(const std::string& word);

}  // namespace byhand::cli
