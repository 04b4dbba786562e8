// Ctrl-C, checked between two steps.
#pragma once

#include <array>

namespace byhand::cli {

// During its lifetime the first SIGINT, SIGTERM or SIGHUP only sets a mark; a second SIGINT or SIGTERM ends the program
// at once (not a second SIGHUP: a closing terminal may send two). Signals that were ignored before stay ignored.
// Writing to a pipe without a reader is an error and does not end the program. One object at a time.
class InterruptWatch {
public:
    InterruptWatch();
    InterruptWatch(const InterruptWatch&) = delete;
    InterruptWatch& operator=(const InterruptWatch&) = delete;
    ~InterruptWatch() { restore(); }

    // Restores the previous handlers; a child process may call it too.
    void restore() const;

private:
    std::array<void (*)(int), 4> before_{};
};

// Whether there is a mark.
bool interrupted();

// The exit code after work that a mark has ended in order: 128 and the signal; that of SIGINT if there is no mark.
int interrupted_exit_code();
// Whether a program that was ended in order by a signal returns this.
bool is_interrupted_exit_code(int code);

// If there is a mark, ends the program as the signal would have.
void end_if_interrupted();

}  // namespace byhand::cli
