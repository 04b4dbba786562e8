// A kernel as a step, and the trial of one of its calls.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "byhand/kernel.h"
#include "harness/isolated/hints.h"
#include "harness/isolated/run_calls.h"
#include "harness/isolated/trial.h"
#include "harness/isolated/values.h"
#include "steps/step.h"

namespace byhand {

struct KernelCall {
    std::string makes;
    std::size_t result = 0;      // index of `makes` among the kernel's results
    std::vector<Shape> results;  // shapes
    std::vector<std::string> reads;
    std::vector<std::size_t> sizes;
    // The array of the first result holds this operand at the call.
    std::optional<std::size_t> in_place = std::nullopt;  // index among `reads`
    bool is_parameter = false;                           // whether the kernel has a parameter for it besides
};

// The step makes one result by one of the kernel's functions, on a type of numbers, with the other results in scratch
// memory. Throws std::invalid_argument if what is computed in place has another shape than the result.
Step kernel_step(const Kernel& kernel, const KernelFunction& function, const KernelCall& call, const Values& values);

// Of the result of a call; T is float or double.
template <class T>
Trial trial_of(const CallResult<T>& result, const std::vector<double>& right, const std::vector<double>& limits,
               const Shape& shape, const std::vector<Extent>& extents);

}  // namespace byhand
