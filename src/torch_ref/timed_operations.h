// Single operations by LibTorch's own functions, to be timed.
#pragma once

#include "base/timed_operation.h"

namespace byhand::torch_ref {

// Without autograd, into memory that is there already wherever LibTorch lets one say so; the weight lies as
// torch::nn::Linear has it, (out, in).
PreparedOperation prepared(const OperationInput& input);

}  // namespace byhand::torch_ref
