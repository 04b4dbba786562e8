// Child processes, run to completion.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace byhand {

// The CPU time of this process and of its children that have ended. Unlike elapsed time, it is almost the same on a
// busy machine.
std::chrono::microseconds cpu_time();

// How a process ended.
struct Ended {
    int exit_code = 0;          // if a signal ended it: 128 + its number, as in a shell
    std::optional<int> signal;  // the signal that ended it
};

// Polled a hundred times a second while another process runs; when it returns false, that process is sent SIGTERM, or
// its group if it leads one.
using GoesOn = std::function<bool()>;

// As waitpid's status says.
Ended ended_with(int status);

// Waits for a child of this process. Throws InputError if the system does not report how it ended.
Ended wait_for(int child, const GoesOn& goes_on = {});

// Descriptors for a program's standard streams; negative: those of this process.
struct Streams {
    int in = -1, out = -1, err = -1;
};

// Runs a program: words[0] is its path or its name on the PATH, the others are its arguments. With `goes_on`, it leads
// a process group, so that what it starts, such as a compiler's passes, ends with it. nullopt if there is no such
// program. Throws InputError, with the system's text, if it can't be run.
std::optional<Ended> run_program(const std::vector<std::string>& words, const Streams& streams,
                                 const GoesOn& goes_on = {});

struct ProgramRun {
    int exit_code = 0;  // as in Ended
    std::string out, err;
};

// The same with `in` as its standard input; its standard output is captured.
std::optional<ProgramRun> run_and_read(const std::vector<std::string>& words, std::string_view in = {});

// The last line of a text that may end in a newline.
std::string last_line(std::string text);

}  // namespace byhand
