// A step's inputs and attributes as arguments of LibTorch's operation.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstddef>
#include <vector>

#include "trace/graph.h"
#include "trace/reference.h"

namespace byhand {

// The value of an argument, or the places of the step's inputs that it is.
struct BoundArgument {
    c10::IValue value = {};
    std::vector<std::size_t> inputs = {};
};

struct BoundStep {
    const TracedOperation* operation = nullptr;
    std::vector<BoundArgument> arguments = {};
    std::size_t output = 0;  // of several results
};

// The arguments of the overload that fits: the step's inputs are its tensors and leading numbers in their order, its
// attributes the other arguments by their names. Throws InputError that says what does not fit.
BoundStep bound(const TracedStep& step, const std::vector<TracedOperation>& overloads);

// Numbers among the inputs are tensors without dimensions here. Throws std::invalid_argument if there is no such
// output, and what LibTorch throws.
at::Tensor call(const BoundStep& bound, const std::vector<at::Tensor>& inputs);

}  // namespace byhand
