// The state of the process that a function must leave unchanged.
#pragma once

#include <cfenv>
#include <cstdint>
#include <string>

namespace byhand {

// Whether this process has a child process, running or ended.
bool has_child();

// Rounding mode, flush-to-zero and trapping exceptions of the calling thread.
class FloatingPoint {
public:
    FloatingPoint();  // as it is now
    void restore() const;

    // "leaves the rounding mode changed"; empty if nothing has changed.
    std::string changes_to(const FloatingPoint& after) const;

private:
    std::fenv_t environment_{};
    int rounding_;
};

// Floating-point environment, file descriptors and children of this process.
class Surroundings {
public:
    Surroundings();  // as they are now

    // The changes since then: "closes file descriptor 1", "leaves the rounding mode changed"; empty if there are none.
    // Each change is reported once, and the floating-point environment is restored.
    std::string changes();
    // Whether this process has a child, or is a new process itself.
    bool has_new_process() const;

private:
    FloatingPoint floating_point_;
    std::uint64_t open_;  // which of the first 64 descriptors are, as bits
    int process_;
};

}  // namespace byhand
