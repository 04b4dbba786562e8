// Unexpected words on the command line.
#pragma once

#include <string>
#include <vector>

namespace byhand::cli {

// The error message for `word`, with a suggestion. `command` is the chosen one ("lab columns"; empty: none), `flags`
// are its options, `commands` those of the program.
std::string unexpected(const std::string& word, const std::string& command, const std::vector<std::string>& commands,
                       const std::vector<std::string>& flags);

}  // namespace byhand::cli
