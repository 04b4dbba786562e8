// What the commands of a program keep besides CLI11's own.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/file_path.h"
#include "cli/options.h"

namespace byhand::cli {

struct CommandState {
    struct File {
        const CLI::Option* option;
        FileUse use;
    };
    std::vector<File> files;                            // the options that name files, of all commands
    std::map<const CLI::Option*, Option::Words> words;  // the values that a shell offers
    int exit_code = kFine;
};

}  // namespace byhand::cli
