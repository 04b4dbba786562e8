// Operations of LibTorch as others compute them: by several operations.
#pragma once

#include <ATen/core/ivalue.h>
#include <c10/core/ScalarType.h>

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

// An evaluation in this type begins. If those before were of the same (`of`) and in the same type, and this is not the
// `first` on its inputs, a softmax in closed form takes the sum Σ y·dy of its backward pass from the last of them in
// closed form: the rounding of dy, itself a result, is then another in dy − Σ y·dy, as it is where the sum is computed
// in another way (FlashAttention, https://arxiv.org/abs/2205.14135, appendix B.2: as Σ dO·O).
void begin_evaluation(const void* of, c10::ScalarType type, bool first);

// The results of an operation ("_softmax") on floats or doubles by the operations of its formula, with autograd; none
// if it is to run as it is. GELU, ELU, softplus and logaddexp are always composed: what they lose where they cancel is
// the same for all inputs nearby, so that no movement of the inputs shows it.
std::optional<std::vector<c10::IValue>> composed_of(const std::string& name, const std::vector<c10::IValue>& arguments,
                                                    Formulation formulation);

}  // namespace byhand
