// Judges each external value by the others.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "checks/faults/mistakes.h"
#include "harness/end_to_end/comparison.h"
#include "harness/end_to_end/value_report.h"
#include "harness/isolated/isolated.h"
#include "harness/limits/monte_carlo.h"
#include "steps/step.h"

namespace byhand {

// The names of those of `given` that were computed in double, as far as numbers show: they are in double, or equal
// LibTorch's in double, `oracle`, although float represents them all (`emb`, −1/n with n = 32).
std::set<std::string> computed_in_double(const std::vector<View>& given, const std::vector<View>& oracle);

// Judges each of `given` that a step makes by the other external values, in the first form for which all gradients that
// the step reads are present. An equivalent formula may round up to four times as much as ours. Missing forward values
// are taken from the reference and may be off by their limits end to end. A step is left out if its limit is
// uninformative for this reason, or if one of its inputs is missing; an intermediate result of the update is derived
// from others if it is. Elements that are not finite show nothing if a value that the step reads has some. A value in
// double is judged by the limits of double if all that it is computed from, in any of the forms, is in double: external
// values in `in_double`, and reference values in double. (Results of the update are judged by those of float, as the
// rate is a float.) `reference` also has X, Y and rate.
std::vector<IsolatedStep> judge_external(const std::vector<View>& given, const Graph& network,
                                         const std::vector<SizedForm>& forms, const std::vector<View>& reference,
                                         const Limits& limits, const std::set<std::string>& in_double);

// Leaves out wrong steps whose values do not contradict the reference end to end, though one that they read does: they
// were computed from another than the given one.
void leave_out_unrelated(std::vector<IsolatedStep>& isolated, const std::vector<ValueReport>& compared,
                         const Graph& network);

// The missing values that are required to judge the steps that lead to `failing`, nearest first: those that the
// reference's values can't replace and that can't be derived.
std::vector<std::string> missing_for(const std::vector<std::string>& failing, const std::vector<View>& given,
                                     const Graph& network);

// ---- Explains external values by a planted mistake in the whole network ----

// The mistake that, planted in `right`, makes all of `given` within rounding: those that are off the `exact` values and
// those that are not. The nearest if several do; null if none does, or nothing is off.
const Mistake* mistake_that_makes(const std::vector<View>& given, const Graph& right, const TrainingStep& step,
                                  const std::vector<View>& exact, const Limits& limits);

}  // namespace byhand
