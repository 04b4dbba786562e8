// Single operations by LibTorch's own functions, for timing.
#pragma once

#include "base/timed_operation.h"

namespace byhand::torch_ref {

// Without autograd, into preallocated memory where LibTorch allows it; the weight is laid out as in torch::nn::Linear,
// (out, in).
PreparedOperation prepared(const OperationInput& input);

}  // namespace byhand::torch_ref
