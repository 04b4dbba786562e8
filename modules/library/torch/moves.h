// How an operation of LibTorch rounds at random: how far it moves numbers, in which formulation and order it computes.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <c10/core/ScalarType.h>

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace byhand {

// By how many units in the last place an operation moves its inputs and its result.
struct Moves {
    double inputs = 0, result = 0;
};
Moves moves_of(const c10::FunctionSchema& schema, std::span<const c10::IValue> arguments);

// "add" of aten::add_
std::string name_of(const c10::FunctionSchema& schema);

// Those whose results are numbers of their inputs, at other places.
bool copies(const std::string& name);

// Copies, choices of elements and comparisons, which round nothing. Operations in place have the name without its
// underscore.
bool is_exact(const std::string& name);

// An interpolation computes its weights from the ratio of the sizes, in float or in double: the ratio, which it takes
// as an argument, becomes 1 + `by` times as large. Other operations keep their arguments.
void move_scales(const c10::FunctionSchema& schema, std::vector<c10::IValue>& arguments, double by);

// ---- Operations of LibTorch as others compute them: by several operations ----

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

// ---- Sums as plain loops compute them ----

// LibTorch adds in lanes and blocks, where a plain loop over equal numbers drifts with each one. Positive and negative
// terms apart reach the largest sum on the way that any order does.
enum class Order { as_torch, forward, backward, signs_apart };
inline constexpr std::size_t kOrders = 4;

// The result of a sum, a mean, a product of matrices or vectors ("mm", "bmm", "addmm", "mv", "dot") or a convolution's
// bias gradient, of floats or doubles, added up in this order: of the shape of LibTorch's result, `to`. None for any
// other operation, for `as_torch`, and where that would take too long.
std::optional<at::Tensor> sum_in_order(const c10::FunctionSchema& schema, const std::string& name,
                                       const std::vector<c10::IValue>& arguments, Order order, const at::Tensor& to);

// ---- Sums that a reference adds up in place, term by term ----

// What one evaluation has added in place to each memory: `y += x[i]` in a loop is a sum, though no operation says so,
// and a kernel may add its terms in any order.
class SumsInPlace {
public:
    // Before an operation: if it adds to its first argument, notes the term. Memory that has changed in any other way
    // since the last time begins a new sum.
    void note(const std::string& name, const std::vector<c10::IValue>& arguments);
    // Σ |term| of the sum that ends with this operation's result. Undefined with fewer than three terms, whose sum
    // hardly depends on their order, or if it is no such sum.
    at::Tensor magnitudes(const at::Tensor& result) const;
    // After the operation, when its result has been moved.
    void leave(const at::Tensor& result);

private:
    struct Sum {
        at::Tensor magnitudes, left;  // left: the value after the last term
        std::size_t terms = 0;
    };
    std::map<const void*, Sum> all_;  // by the memory's address
};

}  // namespace byhand
