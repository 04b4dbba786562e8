// Code that may crash, in a process of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "cli/interrupt.h"

namespace byhand::cli {

struct Apart {
    int exit_code = 0;
    std::optional<int> signal;  // that ended it
    std::string doing;          // what it last said that it was about to do
};

// Runs `work` in a child process, where standard output and error are the same as here, and waits. `work` is handed a
// function by which it says what it is about to do. What it throws goes to stderr in one line, and is exit code 2. A
// signal ends it, and leaves its mark here. To be called before there are threads. Throws InputError where the system
// gives no process.
Apart run_apart(const InterruptWatch& signals,
                const std::function<int(const std::function<void(const std::string&)>& doing)>& work);

}  // namespace byhand::cli
