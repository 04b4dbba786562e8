// Runs of a step, the trials that judge them, and what is wrong with it: hints, the planted mistake with the same
// result, the smallest input that shows it.
#pragma once

#include <string>
#include <vector>

#include "harness/isolated/isolated.h"
#include "harness/isolated/run_calls.h"
#include "harness/isolated/step_inputs.h"
#include "harness/isolated/trial.h"
#include "harness/mistake.h"
#include "steps/step.h"

namespace byhand {

// One run of a step: on a step input, in a network of its size.
struct StepRun {
    const Step* step = nullptr;
    const StepInput* input = nullptr;
    NetworkSize size = {};
    TrialInput kind = TrialInput::batch;
    // Of the battery.
    std::string on = {};
    std::string by = {};
};

// How the steps of one name are run and judged.
struct Manner {
    const Isolation& isolation;
    const std::string& right;  // the name of the right function

    bool is_external(const Step& step) const {
        return isolation.external.subprocess != nullptr &&
               (step.in_float.name != right || step.in_double.name != right);
    }
    template <class T>
    Leeway leeway(const Step& step) const {
        return step.in<T>().name == right ? Leeway::none : isolation.leeway;
    }
};

// The limit of each element: the rounding of T, and that of the reference operation, which sums in double and in its
// own order.
template <class T>
std::vector<double> limits_of(const StepInput& input, Leeway leeway);

// The verdict on a call's result, with a hint where it is wrong.
template <class T>
Trial trial_of(const CallResult<T>& result, const StepRun& one, Leeway leeway);

// Adds to the trial of a wrong step that tells most. `runs` has the run of each of its trials.
void diagnose(IsolatedStep& result, const Manner& manner, const std::vector<StepRun>& runs, bool makes_small);

// Explains the result of a wrong function by a planted mistake or by the right step on altered inputs.

// The result of a wrong function on one input: `ours`, which `limits` do not explain. Limits are those of float, in
// which mistakes are planted, for either type of `ours`. `right` is the network of that size.
struct Evidence {
    Graph right;
    const StepInput& input;
    std::vector<double> ours, limits;
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
