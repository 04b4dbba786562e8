// What a function finds around it and must leave as it was.
#pragma once

#include <cfenv>
#include <cstdint>
#include <string>

namespace byhand {

// Whether this process has a child, one that has ended or one that runs. Threads are none.
bool has_child();

// Rounding mode, flush-to-zero, exceptions that trap: of the calling thread.
class FloatingPoint {
public:
    FloatingPoint();  // as it is now
    void restore() const;

    // "leaves the rounding mode changed"; empty where all is as it was.
    std::string changes_to(const FloatingPoint& after) const;

private:
    std::fenv_t environment_{};
    int rounding_;
};

// Floating point, file descriptors and processes: of this process.
class Surroundings {
public:
    Surroundings();  // as they are now

    // What has changed since then: "closes file descriptor 1", "leaves the rounding mode changed"; empty where nothing
    // has. Each change is reported once, and floating point is set back.
    std::string changes();
    // Whether this process has a child, or is itself another one than then.
    bool has_new_process() const;

private:
    FloatingPoint floating_point_;
    std::uint64_t open_;  // which of the first 64 descriptors are, as bits
    int process_;
};

}  // namespace byhand
