// The forward pass as a list of torch operations: what makes which value from which. The stepwise reference runs it
// from one end to the other and lets autograd find the way back; the answers to single steps take one operation at a
// time.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

#include "base/network.h"

namespace byhand::torch_ref {

struct Operation {
    std::string makes;
    Shape shape;  // of what it makes
    std::vector<std::string> reads;
    std::function<at::Tensor(const std::vector<at::Tensor>& reads)> apply;
    // Where a derivative goes by the result rather than by what was read (tanh, exp): the vector–Jacobian product from
    // the result and the gradient to it, as autograd itself computes it. Empty elsewhere.
    std::function<at::Tensor(const at::Tensor& result, const at::Tensor& gradient)> by_result = nullptr;
    // The gradient of the first read comes after those of the others (a norm's gain and bias), not before.
    bool first_read_last = false;
};

// From C and X to the loss, in the order in which they run. `rows` is B.
std::vector<Operation> forward_operations(const NetworkConfig& config, std::size_t rows);

// new_X for all of state(config), from X, dX and rate, or from X and the batch's figure.
std::vector<Operation> update_operations(const NetworkConfig& config, std::size_t rows);

// The same batch by the running statistics, from embcat to eval_logits; empty where there is no norm.
std::vector<Operation> evaluation_operations(const NetworkConfig& config, std::size_t rows);

// What a gradient goes to, named after it ("logprobs", … "C"), in the order in which the backward pass completes them:
// a value's gradient is complete after the first of `forward` that reads the value.
std::vector<std::string> backward_order(const std::vector<Operation>& forward);

// logits and Y to the loss in one: LibTorch's own cross_entropy.
Operation cross_entropy_operation();

}  // namespace byhand::torch_ref
