// Processes, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <fstream>
#include <string>

#include "base/text.h"

namespace test {

// Whether a process is there, and no zombie.
inline bool runs(pid_t pid) {
    std::string line;
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::getline(file, line);
    return !line.empty() && !text::contains(line, ") Z ");
}

}  // namespace test
