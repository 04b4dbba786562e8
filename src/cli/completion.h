// Help, completion in shells, and manual pages, from the options themselves.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/options.h"
#include "cli/say.h"

namespace byhand::cli {

// What the commands of a program keep besides CLI11's own.
struct CommandState {
    struct File {
        const CLI::Option* option;
        FileUse use;
    };
    std::vector<File> files;                            // the options that name files, of all commands
    std::map<const CLI::Option*, Option::Words> words;  // the values that a shell offers
    int exit_code = kFine;
};

// The commands of a program, or of a command.
std::vector<const CLI::App*> commands_of(const CLI::App& app);

// ---- help at 80 columns ----

// For the command and those that are added to it later.
void wrap_help(CLI::App& command);

// What the program prints without a command: what it is, and its footer.
std::string introduction(const CLI::App& program);

// ---- shells and manual pages ----

// The words that the last of `words` may become, after the others: commands, options, or an option's values. Empty
// where it is a file. A command line need not be complete.
std::vector<std::string> completions(const CLI::App& app, const CommandState& state,
                                     const std::vector<std::string>& words);

// The manual page, in troff.
std::string manual_page(const CLI::App& app);

// What a shell reads to complete byhand's commands: bash, zsh or fish.
std::string completion_script(const std::string& shell);

}  // namespace byhand::cli
