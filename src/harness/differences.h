// A derivative by finite differences, with a bound of its error.
//
// Of losses around x
//   D(h) = (L(x + h) − L(x − h))/2h      is off by  a·h² + b·h⁴ + …
//   E(h) = (4·D(h) − D(2h))/3            is off by  −4·b·h⁴ + …                     (Richardson's extrapolation)
// and |E(2h) − E(h)|, about fifteen times that, is the bound of the truncation error. Each loss is off by its own
// rounding, `noise`, which contributes (4/3 + 1/6)·noise/h at most. Where the loss has a kink at x, half the jump of
// its slope is added.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "byhand/verdict.h"

namespace byhand {

struct Slope {
    double value = 0;
    double bound = std::numeric_limits<double>::infinity();  // of its error
    double jump = 0;  // of the slope at x, from left to right, if it is a kink's and not rounding
};

// E(h) at the best of several steps. The balance of truncation (h⁴) and rounding (u/h) is near the fifth root of u,
// 2⁻¹⁰, of the distance over which the loss changes its curvature. That distance is at most `scale`, the usual size of
// the values that x belongs to; where it is less (a small number whose inverse, root or logarithm is taken), smaller
// steps follow until rounding prevails.
Slope slope(const std::function<double(double)>& loss, double x, double scale, double noise);

// Elements of a gradient: where they are, ours, by differences, and their limits.
struct Elements {
    std::vector<std::size_t> positions;
    std::vector<double> ours, differences, limits;
    std::vector<double> own_rounding;  // the part of the limit that is our gradient's
};

// The verdict on elements that are judged, but for what shows nothing: vacuous, if both values of each are zero without
// rounding, and zero_within_rounding, if both are nothing but rounding. `sharp`: a limit below this tells zero from a
// gradient that matters.
Verdict verdict_of(const Elements& e, Verdict judged, double sharp);

// The usual size of values: 1 if all are zero or one is not finite.
double root_mean_square(std::span<const double> values);

// At most `most` positions in ascending order: half from all, half from where the gradient is not zero, so that the few
// that matter are not lost among zeros.
std::vector<std::size_t> elements_to_check(std::span<const double> gradient, std::size_t most,
                                           std::mt19937_64& generator);

}  // namespace byhand
