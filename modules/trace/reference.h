// LibTorch's operations by their schemas.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/stack.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace byhand {

struct TracedOperation {
    c10::FunctionSchema schema;
    std::function<void(torch::jit::Stack& stack)> call;  // takes the arguments, leaves the results
};

// The overloads of an operation in the order of their names, so that those for numbers (Scalar) are before those for
// tensors (Tensor). Each returns new tensors or views, and draws no random numbers.
using TracedOverloads = std::map<std::string, std::vector<TracedOperation>>;

// By their names without "aten::". What torch.nn.functional has with another order of arguments than ATen, or without
// random numbers only, is as there.
const TracedOverloads& traced_overloads();

// The gradient of an operation's first input, from the result y and its gradient, as programs compute it that keep the
// result. nullptr if it does not follow from these. `dim` is that of the operation.
using FromResult = at::Tensor (*)(const at::Tensor& y, const at::Tensor& dy, std::int64_t dim);
FromResult gradient_from_result(const std::string& operation);

}  // namespace byhand
