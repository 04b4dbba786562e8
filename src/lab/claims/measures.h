// What the claims read from curves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "lab/training.h"

namespace byhand::lab {

// The mean of the curve's last fifth (one window at least); infinite where the training was not finite or shorter than
// a window.
double final_loss(const Trained& trained);

// steps_to, or `all`, the steps that it was to take, where the loss is never reached or the training was not finite.
double steps_or_all(const Trained& trained, double loss, std::size_t all);

// The largest x whose y is below the limit; nothing where none is. Both of a size, x rising.
std::optional<double> largest_below(const std::vector<double>& x, const std::vector<double>& y, double limit);

// How far x may go without y leaving the lowest by more than `tolerance`, on both sides of it, in decades: between
// neighbours the crossing is taken in proportion on the logarithm of x, and at the ends of x it stops. Both of a size,
// x positive and rising; 0 where no y is finite.
double decades_within(const std::vector<double>& x, const std::vector<double>& y, double tolerance);

// Mean cross-entropy of `characters` by the frequencies that the characters have in `train`, with one added to each, in
// nats: what can be had without a look at what stands before. Precondition: none is empty.
double frequency_loss(const std::vector<std::int64_t>& train, const std::vector<std::int64_t>& characters,
                      std::size_t vocabulary);

// How mean and deviation of some units wander over moments of a training. [moment][unit].
struct UnitFigures {
    std::vector<std::vector<double>> means, deviations;
};
// The deviation, over the moments, of each unit's mean (its deviation), summed over the units, by the sum of their
// mean deviations: in units of what a unit spreads over the batch. Precondition: two moments at least.
struct Wander {
    double mean = 0, deviation = 0;
};
Wander wander_of(const UnitFigures& figures);
// The unit whose mean wanders as much as half of the others.
std::size_t typical_unit(const UnitFigures& figures);

}  // namespace byhand::lab
