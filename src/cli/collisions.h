// Files named twice on the command line.
#pragma once

#include <string>
#include <vector>

#include "cli/file_path.h"

namespace byhand::cli {

struct NamedFile {
    std::string option, path;
    FileUse use;
};

// `files`: the files of a command. Throws InputError if the command would write a file that it reads, that is shipped
// with byhand, or that it also writes otherwise (standard output included); links are followed. `--resume FILE --save
// FILE` is not a collision: the training continues in that file.
void refuse_collisions(const std::vector<NamedFile>& files);

}  // namespace byhand::cli
