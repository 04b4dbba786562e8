// The state of a network (base/network.h) drawn for a check: no parameter, running statistic or optimizer state is 0 or
// 1, which would hide a factor or a term that was forgotten.
#pragma once

#include <cstdint>

#include "base/tensors.h"

namespace byhand {

// A table equal to state(config), the same for the same seed on every machine. Magnitudes: C from 0.1 to 1.6, W the
// same over √inputs, biases and running means from 0.1 to 0.6, each with either sign; gains and running spreads
// from 1.1 to 1.9. What an optimizer keeps of a parameter is as large as the parameter, but second moments lie from
// 0.001 to 0.004, near the squares of gradients; 2 to 8 steps were counted.
Tensors<float> drawn_state(const NetworkConfig& config, std::uint64_t seed);

}  // namespace byhand
