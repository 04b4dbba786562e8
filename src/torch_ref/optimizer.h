// The optimizers by torch operations: the same values as by hand, under the same names.
#pragma once

#include "torch_ref/operation.h"

namespace byhand::torch_ref {

// new_X of all that is learned and all of optimizer_state(config), with what is made on the way.
TorchSteps optimizer_steps(const NetworkConfig& config);

}  // namespace byhand::torch_ref
