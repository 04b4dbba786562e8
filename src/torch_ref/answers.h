// LibTorch's answers, in double, to the questions of single steps and of losses over logits.
#pragma once

#include <memory>

#include "base/answers.h"
#include "base/losses.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {

// The questions of the stepwise network; of the collapsed one, where dlogits and the loss come from the logits and Y,
// and dhprebn from dbnraw; of the fused one, where in addition bnvar comes from bndiff, dhprebn from the gradients of
// the norm's result, bngain and bnbias, and counts are asked for as well. Throw InputError where check_network does,
// and where one of the network's operations is not among `known`.
std::unique_ptr<Answers> stepwise_answers(const NetworkConfig& config, std::size_t rows,
                                          const TorchOperations& known = torch_operations());
std::unique_ptr<Answers> collapsed_answers(const NetworkConfig& config, std::size_t rows,
                                           const TorchOperations& known = torch_operations());
std::unique_ptr<Answers> fused_answers(const NetworkConfig& config, std::size_t rows,
                                       const TorchOperations& known = torch_operations());

// The mean cross-entropy.
LossAnswer cross_entropy(const LossQuestion& question);

// Half of the mean squared error between softmax and the one-hot answers, summed over the columns.
LossAnswer squared_error(const LossQuestion& question);

}  // namespace byhand::torch_ref
