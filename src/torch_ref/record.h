// What a side keeps of one step, in the order it is made.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "base/network.h"
#include "torch_ref/bridge.h"

namespace byhand::torch_ref {

// The gradients of a step, named after what they belong to ("logprobs", … "C"), in the order the backward pass comes
// to them: the output and its norm, then for each linear, the last first, its input, weight and bias, and what lies
// between it and the linear before.
std::vector<std::string> backward_order(const NetworkConfig& config);

// The forward values of one step.
class Record {
public:
    // Keeps a value under its name and has autograd keep its gradient. Returns it, to go on with.
    torch::Tensor keep(const std::string& name, torch::Tensor value);

    const std::vector<Named>& values() const { return values_; }

private:
    std::vector<Named> values_;
};

// The gradients "dX" of all values and parameters but the loss, after loss.backward(), in backward_order. Names of it
// that are neither a value nor a parameter are left out. Throws std::logic_error where autograd has none for a tensor
// or where a tensor is not in the order.
std::vector<Named> gradients(const NetworkConfig& config, const std::vector<Named>& values,
                             const std::vector<Named>& parameters);

}  // namespace byhand::torch_ref
