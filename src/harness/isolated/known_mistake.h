// What makes the same wrong numbers as a function that is wrong: a planted mistake, or the right step on altered reads.
#pragma once

#include <span>
#include <string>

#include "harness/isolated/step_inputs.h"
#include "harness/isolated/trial.h"
#include "steps/step.h"

namespace byhand {

// The name of the mistake that, planted in `right`, makes `ours` of the question to the step that makes `makes`, within
// `limits`, and not the right answer, which is further off than they allow: of several the one that comes nearest.
// Empty where none does. Mistakes are planted in float, so `limits` are float's, whatever the type of `ours`.
std::string known_mistake(const Graph& right, const std::string& makes, const StepInput& input,
                          std::span<const double> ours, std::span<const double> limits);

// "the last row of dlogits is left out", where the right step makes `ours` without it: the first or last row or column
// of one of its reads. "this is what the right step makes of −logits", where one has the other sign. Else empty.
std::string altered_read(const Step& right, const StepInput& input, std::span<const double> ours,
                         std::span<const double> limits);

// Sets the trial's mistake, or, where none is known and it has no hint, a hint of the second kind.
void name_mistake(Trial& trial, const Graph& right, const std::string& makes, const StepInput& input,
                  std::span<const double> ours, std::span<const double> limits);

}  // namespace byhand
