// What is wrong with a step: hints, the planted mistake with the same result, the smallest input that shows it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "harness/isolated/cases.h"
#include "harness/isolated/step_inputs.h"
#include "harness/isolated/trial.h"
#include "harness/mistake.h"
#include "steps/step.h"

namespace byhand {

// Adds to the trial of a wrong step that tells most. `runs` has the run of each of its trials.
void diagnose(IsolatedStep& result, const Manner& manner, const std::vector<StepRun>& runs, bool makes_small);

// Explains the result of a wrong function by a planted mistake or by the right step on altered inputs.

// The result of a wrong function on one input: `ours`, which `limits` do not explain. Limits are those of float, in
// which mistakes are planted, for either type of `ours`. `right` is the network of that size.
struct Evidence {
    const Graph& right;
    const StepInput& input;
    std::span<const double> ours, limits;
};

// Of these mistakes the one that, planted in the right network, produces these results of the step that makes `makes`.
// If there are several, the nearest; null if there is none.
const Mistake* known_mistake(const std::string& makes, const std::vector<Evidence>& all, KnownMistakes mistakes);

// How the right step produces these results from altered inputs, else empty: "the last row of dlogits is left out",
// "only the last row of dlogits is counted", "the path through dcounts_sum is left out", "the right step makes these
// numbers of −logits".
std::string altered_read(const std::string& makes, const std::vector<Evidence>& all);

// Sets the trial's mistake or, if none is found and it has no hint, a hint of the second kind.
void name_mistake(Trial& trial, const std::string& makes, const std::vector<Evidence>& all, KnownMistakes mistakes);

}  // namespace byhand
