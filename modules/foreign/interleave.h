// Stops a function at its instructions, for other work to come between.
#pragma once

#include <cstddef>
#include <functional>

namespace byhand {

// Whether the processor can be told to stop after each instruction.
#ifdef __x86_64__
inline constexpr bool kInterleaves = true;
#else
inline constexpr bool kInterleaves = false;
#endif

struct InterleaveConfig {
    std::size_t most_instructions = 4000;  // that are looked at: each costs a microsecond, on a virtual machine ten
    std::size_t points = 64;               // at first as close as `gap`, and then ever further apart
    std::size_t gap = 7;                   // instructions
};

// Runs `work`, and `between` again and again, in the same thread, before some of the instructions of `work`: the same
// ones each time that the same program runs on the same values. Without kInterleaves only `work` runs. `between` may do
// what a signal handler may.
void run_interleaved(const std::function<void()>& work, const std::function<void()>& between,
                     const InterleaveConfig& config = {});

}  // namespace byhand
