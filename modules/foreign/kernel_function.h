// A kernel's functions as those of a step.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "byhand/kernel.h"
#include "steps/step.h"

namespace byhand {

// How a kernel is called to make the result of a step.
struct KernelCall {
    std::vector<Shape> results;  // shapes of the kernel's
    std::vector<Shape> reads;    // of the step's operands
    std::vector<std::size_t> sizes = {};
    std::size_t result = 0;  // index of the step's among the kernel's
    // The array of the first result holds this operand at the call.
    std::optional<std::size_t> in_place = std::nullopt;  // index among `reads`
    bool is_parameter = false;                           // whether the kernel has a parameter for it besides
};

// Lets a function of the kernel make the step's result, on the type of that function, which is one of numbers. The
// kernel's other results are in scratch memory. Results are bytes, as the function's type stores them.
void set_function(Step& step, const Kernel& kernel, const KernelFunction& function, const KernelCall& call);

// The step that makes `makes` of `reads` by this function of the kernel, which is on a type of numbers, and by the one
// on Rounded if there is one.
Step kernel_step(const Kernel& kernel, const KernelFunction& function, const KernelCall& call, std::string makes,
                 std::vector<std::string> reads);

}  // namespace byhand
