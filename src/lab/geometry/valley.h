// The valley that gradient descent goes down: how narrow it is, how fast one may go, and how long it takes.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "lab/geometry/yes_or_no.h"

namespace byhand::lab {

struct Valley {
    double columns = 0;                // the largest over the smallest column, by root mean square; the bias's is 1
    double condition = 0;              // of the Gram matrix of the inputs, with the bias's column of ones
    double narrow = 0;                 // the condition number of the curvature where the loss is least
    double theory_at_start = 0;        // 2/λ, λ the largest eigenvalue of the curvature at weights of 0
    double theory_at_best = 0;         // the same where the loss is least
    double largest_rate = 0;           // that converges, measured
    double best_rate = 0;              // of the grid
    std::optional<std::size_t> steps;  // at that rate, to the target; nothing: not within the limit
    double loss = 0;                   // after them, or after the limit
};

struct ValleyLimits {
    std::size_t steps = 20'000;            // of gradient descent, at most
    std::size_t convergence_steps = 1000;  // after which a rate has converged, or has not
};

// `target` is the loss to reach. From weights of 0 on.
Valley measure_valley(const YesOrNo& question, double target, const ValleyLimits& limits);

// Whether the loss falls at every step (but for rounding) in the last tenth of so many steps from weights of 0.
bool converges(const YesOrNo& question, double rate, std::size_t steps);

}  // namespace byhand::lab
