// Processes, as /proc shows them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <fstream>
#include <string>
#include <thread>

#include "base/text.h"

namespace test {

// Whether a process is there, and no zombie.
inline bool runs(pid_t pid) {
    std::string line;
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::getline(file, line);
    return !line.empty() && !text::contains(line, ") Z ");
}

// Whether a process ends within five seconds: one that is killed may still run when kill() returns.
inline bool ends(pid_t pid) {
    for (int i = 0; i < 500 && runs(pid); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return !runs(pid);
}

}  // namespace test
