// An optimizer's step in one pass over a parameter, in float, for the widest vectors that the CPU has (chosen at run
// time). All arrays begin on a cache line, and what lies between `count` and the end of the last one is read and
// written too.
#pragma once

#include <cstddef>

#include "base/optimizer.h"

namespace byhand::simd {

// A parameter, and what the optimizer keeps of it: momentum, or exp_avg and exp_avg_sq. Null where there is none.
struct Learned {
    float *p = nullptr, *mean = nullptr, *square = nullptr;
};

struct OptimizerStep {
    OptimizerConfig config;
    float rate = 0;
    float mean_correction = 1, square_correction = 1;  // of adamw: 1 − β1^t, 1 − β2^t
};

// From p, what is kept of it and its gradient to the same after the step.   Twins, to the bit: l2_gradient,
// momentum_update, nesterov_lookahead, descend; moment_mean, moment_square, moment_unbiased, adamw_descend.
void optimizer_step(const Learned& updated, const Learned& present, const float* gradient, std::size_t count,
                    const OptimizerStep& step);

}  // namespace byhand::simd
