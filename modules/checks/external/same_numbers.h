// Explains external values by a planted mistake in the whole network.
#pragma once

#include <vector>

#include "checks/faults/mistakes.h"
#include "harness/end_to_end/comparison.h"
#include "harness/limits/monte_carlo.h"
#include "steps/step.h"

namespace byhand {

// The mistake that, planted in `right`, makes all of `given` within rounding: those that are off the `exact` values and
// those that are not. The nearest if several do; null if none does, or nothing is off.
const Mistake* mistake_that_makes(const std::vector<View>& given, const Graph& right, const TrainingStep& step,
                                  const std::vector<View>& exact, const Limits& limits);

}  // namespace byhand
