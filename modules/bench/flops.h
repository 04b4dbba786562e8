// The floating-point operations of a training step, counted from its formulas.
#pragma once

#include <cstddef>

#include "base/network.h"

namespace byhand::bench {

// The FLOP of a matrix product, (n, in) by (in, out): a multiplication and an addition for each term.
inline double product_flops(std::size_t n, std::size_t in, std::size_t out) {
    return 2.0 * static_cast<double>(n) * static_cast<double>(in) * static_cast<double>(out);
}

// The FLOP of a training step with batches of `rows`: the three products of every linear, y = x·W, dW = xᵀ·dy and dx =
// dy·Wᵀ; the first linear's dx too, because the embedding is learned. Everything else is of a lower order and ignored:
// biases, norms, tanh, softmax, gathering and scattering the embedding, and the update.
double step_flops(const NetworkConfig& config, std::size_t rows);

}  // namespace byhand::bench
