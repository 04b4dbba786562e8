// Sums as plain loops compute them.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace byhand {

// LibTorch adds in lanes and blocks, where a plain loop over equal numbers drifts with each one. Positive and negative
// terms apart reach the largest sum on the way that any order does.
enum class Order { as_torch, forward, backward, signs_apart };
inline constexpr std::size_t kOrders = 4;

// The result of a sum, a mean, a product of matrices or vectors ("mm", "bmm", "addmm", "mv", "dot") or a convolution's
// bias gradient, of floats or doubles, added up in this order: of the shape of LibTorch's result, `to`. None for any
// other operation, for `as_torch`, and where that would take too long.
std::optional<at::Tensor> sum_in_order(const c10::FunctionSchema& schema, const std::string& name,
                                       const std::vector<c10::IValue>& arguments, Order order, const at::Tensor& to);

}  // namespace byhand
