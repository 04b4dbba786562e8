// Single operations by hand, to be timed.
#pragma once

#include "base/timed_operation.h"

namespace byhand::bench {

// By the functions of src/manual that the fused network uses.
PreparedOperation by_hand(const OperationInput& input);

}  // namespace byhand::bench
