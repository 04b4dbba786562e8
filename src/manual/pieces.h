// The kernels of the fused network as steps, so that each can be run alone.
#pragma once

#include "steps/step.h"

namespace byhand {

// The steps of the stepwise network that a kernel of simd/ computes in the fused one, each computed by that kernel.
StepNetwork<float> fused_pieces(const NetworkConfig& config, std::size_t rows);

}  // namespace byhand
