// Ctrl-C, as a question to ask between two steps.
#pragma once

#include <array>

namespace byhand::cli {

// While it lives, SIGINT, SIGTERM and SIGHUP leave no more than a mark, the first time; a second SIGINT or SIGTERM
// ends the program at once (not a second SIGHUP: a terminal that closes may send two). What was ignored before stays
// ignored. And to write into a pipe whose reader has gone is an error, not the end of the program. One at a time.
class InterruptWatch {
public:
    InterruptWatch();
    InterruptWatch(const InterruptWatch&) = delete;
    InterruptWatch& operator=(const InterruptWatch&) = delete;
    ~InterruptWatch() { restore(); }

    // All is as it was: for a child process, too.
    void restore() const;

private:
    std::array<void (*)(int), 4> before_{};
};

// Whether there is a mark.
bool interrupted();

// Where there is a mark, ends the program as the signal would have done.
void end_if_interrupted();

}  // namespace byhand::cli
