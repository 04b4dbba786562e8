// What is wrong with a step: hints, the planted mistake with the same result, the smallest input that shows it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/isolated/cases.h"

namespace byhand {

// The case of a trial, in float or in double.
struct Shown {
    const StepInput* input = nullptr;
    NetworkSize size;
    std::string function;
};

// Adds to the trial of a wrong step that tells most. `input_of` makes the step input of the batch or of random values,
// in float or in double; `battery` has the case of each trial of the battery.
void diagnose(IsolatedStep& result, const Manner& manner,
              const std::function<const StepInput&(bool on_batch, bool in_double)>& input_of, const NetworkSize& own,
              const std::vector<Shown>& battery, bool makes_small);

}  // namespace byhand
