// The fused network in a comparison.
#pragma once

#include "compare/candidates.h"

namespace byhand {

// With each of its kernels that can run in isolation. The reference must outlive it.
std::unique_ptr<StepCandidate> fused_candidate(const Reference& reference);

}  // namespace byhand
