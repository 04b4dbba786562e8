// The state of the process that a function must leave unchanged.
#pragma once

#include <cfenv>
#include <cstdint>
#include <string>

namespace byhand {

// Whether this process has a child process, running or ended.
bool has_child();

// Floating-point environment of this thread (rounding mode, flush-to-zero, trapping exceptions), file descriptors and
// children of this process.
class Surroundings {
public:
    Surroundings();  // as they are now

    // The changes since then: "closes file descriptor 1", "leaves the rounding mode changed"; empty if there are none.
    // Each change is reported once, and the floating-point environment is restored.
    std::string changes();
    // Whether this process has a child, or is a new process itself.
    bool has_new_process() const;

private:
    std::string changes_of_floating_point() const;

    std::fenv_t environment_{};
    int rounding_;
    std::uint64_t open_;  // which of the first 64 descriptors are, as bits
    int process_;
};

}  // namespace byhand
