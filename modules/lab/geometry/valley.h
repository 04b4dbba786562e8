// The valley that gradient descent goes down: how narrow it is, how fast one may go, how long it takes, and its
// contours in two weights.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lab/geometry/regression.h"
#include "report/document.h"

namespace byhand::lab {

struct Valley {
    double condition = 0;     // the condition number of the inputs' Gram matrix, with the bias's column of ones
    double theory = 0;        // 2/λ, λ the largest eigenvalue of the curvature where the loss is least
    double largest_rate = 0;  // that converges, measured
    double steps = 0;         // to the target at the best rate of a grid; the limit if they do not suffice
};

struct ValleyLimits {
    std::size_t steps = 20'000;            // of gradient descent, at most
    std::size_t convergence_steps = 1000;  // after which a rate has converged, or has not
};

// `target` is the loss to reach, from weights of 0.
Valley measure_valley(const Regression& data, double target, const ValleyLimits& limits);

// Whether the loss falls at every step (but for rounding) in the last tenth of so many steps from weights of 0.
bool converges(const Regression& data, double rate, std::size_t steps);

struct Contours {
    Plot plot;
    double axes = 0;  // the lowest contour's length over its width, by the curvature at the best weights
    double left = 0;  // of the loss above the least, the share that is left at the path's end
};

// Of data with two inputs in their weights, the bias at the least loss, with a path of gradient descent at 1.8/λ. The
// path starts on the lowest contour, half-way between its long and its short axis. Both axes have the same scale.
Contours contours_of(const Regression& data, Plot plot);

}  // namespace byhand::lab
