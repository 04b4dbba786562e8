// The fused network in a comparison.
#pragma once

#include <cstddef>

#include "base/network.h"
#include "compare/candidates.h"

namespace byhand {

// With each of its kernels that can run in isolation. The reference must outlive it.
Candidate fused_candidate(const NetworkConfig& network, std::size_t rows, const Reference& reference);

}  // namespace byhand
