// What is right, by functions on LibTorch's tensors. The only header of byhand that includes LibTorch's.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "byhand/kernel.h"
#include "byhand/reference.h"
#include "byhand/view.h"

namespace byhand {

template <>
inline constexpr std::optional<DType> dtype_for<at::BFloat16> = DType::bfloat16;
template <>
inline constexpr std::optional<DType> dtype_for<at::Half> = DType::float16;

using TensorFunction = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

// Of the inputs' copies in double or float; integral inputs keep their type.
Evaluate evaluation_of(TensorFunction function, std::vector<at::Tensor> inputs);
// Of inputs that are given as views in each call. `gradients`: also the vector–Jacobian product of each input with
// numbers, by autograd, if "dy" is the last view.
Evaluate evaluation_of(TensorFunction function, std::size_t inputs, bool gradients);

at::Tensor tensor_of(const View& view);
inline at::Tensor tensor_of(const at::Tensor& tensor) {
    return tensor;
}

namespace torch_details {

template <class F, std::size_t... I>
TensorFunction on_vector(F function, std::index_sequence<I...> /*inputs*/) {
    return [function](const std::vector<at::Tensor>& inputs) { return at::Tensor(function(inputs[I]...)); };
}

template <class R, class... Inputs>
std::pair<TensorFunction, std::size_t> with_inputs(std::function<R(Inputs...)> function) {
    static_assert(std::is_convertible_v<R, at::Tensor>, "the reference returns one tensor");
    return {on_vector(std::move(function), std::index_sequence_for<Inputs...>()), sizeof...(Inputs)};
}

// A function on tensors, and the number of its inputs.
template <class F>
std::pair<TensorFunction, std::size_t> with_inputs(F function) {
    static_assert(kernel_details::HasSignature<F>,
                  "the reference is a function, or a lambda whose parameters are tensors (not auto)");
    return with_inputs(std::function{std::move(function)});
}

}  // namespace torch_details

// What f computes from these inputs, each an at::Tensor or a view (byhand::tensor).
template <class F, class... Inputs>
Matches matches(F f, const Inputs&... inputs) {
    return Matches(evaluation_of(torch_details::on_vector(std::move(f), std::index_sequence_for<Inputs...>()),
                                 std::vector<at::Tensor>{tensor_of(inputs)...}));
}

// A kernel's expected result: what f computes. f has one at::Tensor parameter for each input.
template <class F>
Expected computes(F f) {
    auto [function, inputs] = torch_details::with_inputs(std::move(f));
    return {evaluation_of(std::move(function), inputs, false), inputs, Expected::What::value};
}

// A kernel's expected results: the vector–Jacobian product of f and dy by autograd.
template <class F>
Expected is_vjp_of(F f) {
    auto [function, inputs] = torch_details::with_inputs(std::move(f));
    return {evaluation_of(std::move(function), inputs, true), inputs, Expected::What::gradients};
}

// For Expected::with.
template <class F>
Evaluate computed_by(F f) {
    auto [function, inputs] = torch_details::with_inputs(std::move(f));
    return evaluation_of(std::move(function), inputs, false);
}

}  // namespace byhand
