// Stops a function at its instructions, for other work to come between.
#pragma once

#include <functional>

namespace byhand {

// Whether the processor can be told to stop after each instruction.
#ifdef __x86_64__
inline constexpr bool kInterleaves = true;
#else
inline constexpr bool kInterleaves = false;
#endif

// Runs `work`, and `between` again and again, in the same thread, before some of the first instructions of `work`: the
// same ones each time that the same program runs on the same values, at first close to each other and then ever further
// apart. Without kInterleaves only `work` runs. `between` may do what a signal handler may.
void run_interleaved(const std::function<void()>& work, const std::function<void()>& between);

}  // namespace byhand
