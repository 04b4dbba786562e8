// LibTorch's answers, in double, to the questions of single steps.
#pragma once

#include <memory>

#include "base/answers.h"

namespace byhand::torch_ref {

// The questions of the stepwise network, or of the collapsed one: there dlogits and the loss come from the logits and
// Y, and dhprebn from the norm's result. Throws InputError where check_network does.
std::unique_ptr<Answers> stepwise_answers(const NetworkConfig& config, std::size_t rows);
std::unique_ptr<Answers> collapsed_answers(const NetworkConfig& config, std::size_t rows);

}  // namespace byhand::torch_ref
