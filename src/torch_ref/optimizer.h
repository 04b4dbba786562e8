// The optimizers as torch operations: the same values as in the handwritten ones, under the same names.
#pragma once

#include "torch_ref/operation.h"

namespace byhand::torch_ref {

// new_X of all parameters and all of optimizer_state(config), with intermediate results.
TorchSteps optimizer_steps(const NetworkConfig& config);

}  // namespace byhand::torch_ref
