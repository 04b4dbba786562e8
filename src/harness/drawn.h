// Parameters and running figures drawn for a check: no bias is 0, no gain 1, no running figure what it begins with.
// Zeros and ones hide mistakes.
#pragma once

#include <cstdint>

#include "base/tensors.h"

namespace byhand {

// A table equal to state(config). C is uniform in ±√3 (variance 1), W in ±5/3·√(3/inputs) (the gain of tanh), biases
// and running means in ±[1/8, 1/2], gains and running spreads in [1/2, 3/4] or [5/4, 3/2].
Tensors<float> drawn_state(const NetworkConfig& config, std::uint64_t seed);

}  // namespace byhand
