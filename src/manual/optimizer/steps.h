// The steps by which a network's optimizer computes new_X of the parameters and of its own state.
#pragma once

#include "manual/operation.h"

namespace byhand {

// Computed once per training step: AdamW's step count and bias corrections.
void optimizer_steps(StepList& steps, const NetworkConfig& config);

// Computed for each parameter of an operation, new_p last.
void parameter_steps(StepList& steps, const Site& at);

// The ranges of its restricted values.
void optimizer_ranges(ValueRanges& ranges, const NetworkConfig& config);

// Their glossary rows.
GlossaryRows optimizer_rows();

}  // namespace byhand
