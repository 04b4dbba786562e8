// The network as lists of torch operations, with their inputs and results.
#pragma once

#include <string>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {

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

}  // namespace byhand::torch_ref
