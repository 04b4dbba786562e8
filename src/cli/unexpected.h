// Words on the command line that no command takes.
#pragma once

#include <string>
#include <vector>

namespace byhand::cli {

// The error message for `word`, with what was probably meant. `command` is the one that was chosen ("lab columns";
// empty: none), `flags` are its options, `commands` those of the program.
std::string unexpected(const std::string& word, const std::string& command, const std::vector<std::string>& commands,
                       const std::vector<std::string>& flags);

}  // namespace byhand::cli
