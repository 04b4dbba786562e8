// An optimizer's step in one pass over a parameter, in float, for the widest vectors of the CPU (chosen at run time).
// All arrays start on a cache line, and the elements between `count` and the end of the last line are read and written
// too.
#pragma once

#include <cstddef>

#include "base/optimizer.h"

namespace byhand::simd {

// A parameter, and the optimizer's state for it: momentum, or exp_avg and exp_avg_sq. Null if unused.
struct Learned {
    float *p = nullptr, *mean = nullptr, *square = nullptr;
};

struct OptimizerStep {
    OptimizerConfig config;
    float rate = 0;
    float mean_correction = 1, square_correction = 1;  // adamw: 1 − β1^t, 1 − β2^t
};

// Computes `count` elements of p and its state, from index `from` on, after the step from p, its state and their
// gradient.   Twins, to the bit: l2_gradient,
// momentum_update, nesterov_lookahead, descend; moment_mean, moment_square, moment_unbiased, adamw_descend.
void optimizer_step(const Learned& updated, const Learned& present, std::size_t from, const float* gradient,
                    std::size_t count, const OptimizerStep& step);

}  // namespace byhand::simd
