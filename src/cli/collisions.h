// One file named twice on the command line.
#pragma once

#include <CLI/CLI.hpp>

namespace byhand::cli {

// Throws InputError where a file that the command is to write is one that it reads, or that byhand comes with, or is to
// be written twice, be it by what is printed: through a link, too. `command` has been parsed. That `train --resume FILE
// --save FILE` goes on in the same file is meant.
void refuse_collisions(const CLI::App& command);

}  // namespace byhand::cli
