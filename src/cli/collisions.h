// One file named twice on the command line.
#pragma once

#include <string>
#include <vector>

#include "cli/file_path.h"

namespace byhand::cli {

struct NamedFile {
    std::string option, path;
    FileUse use;
};

// `files`: those that a command is given. Throws InputError where it would write a file that it reads, that byhand is
// shipped with, or that is written twice, be it by standard output: through a link, too. `--resume FILE --save FILE` is
// no collision: the training goes on in that file.
void refuse_collisions(const std::vector<NamedFile>& files);

}  // namespace byhand::cli
