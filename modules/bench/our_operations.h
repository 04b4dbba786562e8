// Handwritten single operations, for timing.
#pragma once

#include "base/timed_operation.h"

namespace byhand::bench {

// The functions of src/manual that the fused network uses.
PreparedOperation by_hand(const OperationInput& input);

}  // namespace byhand::bench
