// Runs of a step, and the trials that judge them.
#pragma once

#include <string>
#include <vector>

#include "harness/isolated/isolated.h"
#include "harness/isolated/run_calls.h"

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

}  // namespace byhand
