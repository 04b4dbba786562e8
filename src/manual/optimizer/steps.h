// The steps by which a network's optimizer makes new_X of what is learned, and of what it keeps itself.
#pragma once

#include "manual/operation.h"

namespace byhand {

// What is made once in a training step: AdamW's step count and bias corrections.
void optimizer_steps(StepList& steps, const NetworkConfig& config);

// What is made of each parameter of an operation, new_p last.
void parameter_steps(StepList& steps, const Site& at);

// The ranges of its values that are not just any numbers.
void optimizer_ranges(ValueRanges& ranges, const NetworkConfig& config);

}  // namespace byhand
