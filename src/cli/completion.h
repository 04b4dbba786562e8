// Completion in shells and manual pages, from the options themselves.
#pragma once

#include <string>
#include <vector>

#include "cli/options.h"

namespace byhand::cli {

struct CommandState;

// The words that the last of `words` may become, after the others: commands, options, or an option's values. Empty
// where it is a file. A command line need not be complete.
std::vector<std::string> completions(const CLI::App& app, const CommandState& state,
                                     const std::vector<std::string>& words);

// The manual page, in troff.
std::string manual_page(const CLI::App& app);

// What a shell reads to complete byhand's commands: bash, zsh or fish.
std::string completion_script(const std::string& shell);

}  // namespace byhand::cli
