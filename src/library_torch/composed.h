// Operations of LibTorch as others compute them: by several operations.
#pragma once

#include <ATen/core/ivalue.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace byhand {

// A softmax or a norm is one operation to LibTorch's dispatcher, which cancels inside in its own way. What a right
// kernel is off by depends on how it is written, so evaluations differ in it.
enum class Formulation {
    one_operation,  // LibTorch's
    operations,     // those of the formula, and their derivatives
    closed_form,    // the same forward; backward the gradient that is written by hand
};
inline constexpr std::size_t kFormulations = 3;

// The results of an operation ("_softmax") on floats by the operations of its formula, with autograd; none if it is to
// run as it is. GELU, ELU, softplus and logaddexp are always composed: what they lose where they cancel is the same for
// all inputs nearby, so that no movement of the inputs shows it.
std::optional<std::vector<c10::IValue>> composed_of(const std::string& name, const std::vector<c10::IValue>& arguments,
                                                    Formulation formulation);

}  // namespace byhand
