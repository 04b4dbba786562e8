// An operation of the network as torch operations, each of which computes one named value, and the network as lists of
// them. The stepwise reference runs them in order and uses autograd for the backward pass; reference operations run one
// step at a time.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "base/timed_step.h"
#include "base/value.h"

namespace byhand::torch_ref {

using TensorReads = const std::vector<at::Tensor>&;
using Values = std::map<std::string, at::Tensor>;

struct TorchStep {
    std::string makes;
    Shape shape;  // of the result
    std::vector<std::string> reads;
    std::function<at::Tensor(TensorReads)> apply;
    // If a derivative is computed from the result rather than from the input (tanh, exp): the vector–Jacobian product
    // from the result and its gradient, as in autograd. Empty otherwise.
    std::function<at::Tensor(const at::Tensor& result, const at::Tensor& gradient)> by_result = nullptr;
    // The gradient of the first input comes after those of the others (a norm's gain and bias), not before.
    bool first_read_last = false;
    bool constant = false;      // neither the result nor the inputs have a gradient
    std::size_t operation = 0;  // index of its operation in operations(config)
};
using TorchSteps = std::vector<TorchStep>;

// Appends a step, and returns it.
inline TorchStep& add(TorchSteps& steps, std::string makes, Shape shape, std::vector<std::string> reads,
                      std::function<at::Tensor(TensorReads)> apply) {
    steps.push_back({std::move(makes), std::move(shape), std::move(reads), std::move(apply)});
    return steps.back();
}

// The step's result from the values it reads.
at::Tensor result_of(const TorchStep& step, const Values& values);

// An operation at its place in a network of `rows` rows.
struct Site {
    const NetworkConfig& network;
    Operation operation;
    std::size_t rows = 0;  // B times the positions of the operation's result

    const std::string& x() const { return operation.input; }
    const std::string& y() const { return operation.output; }
    std::string value(const char* name) const { return operation.layer.value(name); }
    // The same for an intermediate value of the operation, which in evaluation after training carries eval_ too.
    std::string made(const char* name) const {
        return value_of(y()).kind == ValueKind::evaluated ? evaluation_of(value(name)) : value(name);
    }
    // (rows, outputs) and (outputs) of its layer.
    Shape wide() const { return {rows, operation.layer.outputs}; }
    Shape narrow() const { return {operation.layer.outputs}; }
};

using AppendSteps = std::function<void(TorchSteps& steps, const Site& at)>;

struct TorchOperation {
    std::string op;
    AppendSteps forward;
    // If different from `forward`: in evaluation mode; in one torch operation.
    AppendSteps evaluation = nullptr;
    AppendSteps collapsed = nullptr;
    // new_X of its state for evaluation.
    AppendSteps update = nullptr;
    // Results that the collapsed and the fused network compute by other formulas than the small steps.
    AppendSteps collapsed_formulas = nullptr;
    AppendSteps fused_formulas = nullptr;
    // The module's single step, from the operation's input and parameters and the value that it adds, if `forward` is
    // not such a step.
    AppendSteps module = nullptr;
};
using TorchOperations = std::vector<TorchOperation>;

// All operations of the LibTorch implementation: each `extern TorchOperation x_operation()` in a file of this folder
// (cmake/operations.awk).
const TorchOperations& torch_operations();

// ---- The network as lists of torch operations ----

// From C and X to the loss, in the order in which they run. `rows` is B. Throws InputError if one of the network's
// operations is not in `known`; so do the others.
TorchSteps forward_steps(const NetworkConfig& config, std::size_t rows,
                         const TorchOperations& known = torch_operations());

// The same with each operation as a single torch operation, where possible.
TorchSteps collapsed_forward_steps(const NetworkConfig& config, std::size_t rows, const TorchOperations& known);

// new_X for all of state(config), from X, dX and rate, or from X and the batch statistic; then the same batch in
// evaluation mode, from embcat to eval_logits, unless evaluated_operations is empty.
TorchSteps later_steps(const NetworkConfig& config, std::size_t rows, const TorchOperations& known);

// Results that the collapsed network, or the fused one, computes by other formulas than those of its steps.
TorchSteps formulas(const NetworkConfig& config, std::size_t rows, const TorchOperations& known, HandForm form);

// The module's result of an operation from its input and its parameters (state_of), in one step. Throws InputError if
// there is no such step, or the operation is not in `known`.
TorchStep in_one_step(const NetworkConfig& config, const Operation& operation,
                      const TorchOperations& known = torch_operations());

// The values that have gradients ("logprobs", … "C"), in the order in which the backward pass completes them: a value's
// gradient is complete after the first of `forward` that reads the value.
std::vector<std::string> backward_order(const TorchSteps& forward);

// The optimizers as torch operations: the same values as in the handwritten ones, under the same names.

// new_X of all parameters and all of optimizer_state(config), with intermediate results.
TorchSteps optimizer_steps(const NetworkConfig& config);

// ---- Dropout's mask and key, for single steps and for the module ----

// The mask of this shape, (rows, width), in the key's type: 1/(1 − p) for kept elements, 0 for dropped ones. The random
// numbers are defined by the key and the place in the batch, as in manual's dropout/formulas.h; `rows_before` rows of
// the batch are before these.
at::Tensor dropout_mask(const at::Tensor& key, const Shape& shape, double p, std::size_t rows_before = 0);

// The key of the next step.
at::Tensor next_dropout_key(const at::Tensor& key);

// ---- A step by LibTorch's own functions, for timing ----

// Without autograd, into preallocated memory where LibTorch allows it; the weight is laid out as in torch::nn::Linear,
// (out, in).
PackedOperation packed(const TimedStep& step);

}  // namespace byhand::torch_ref
