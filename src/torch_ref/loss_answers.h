// LibTorch's answers to losses over logits, in double.
#pragma once

#include "base/losses.h"

namespace byhand::torch_ref {

// torch::nn::functional::cross_entropy.
LossAnswer cross_entropy(const LossQuestion& question);

// Half of torch::nn::functional::mse_loss between softmax and the one-hot answers, summed over the columns.
LossAnswer squared_error(const LossQuestion& question);

}  // namespace byhand::torch_ref
