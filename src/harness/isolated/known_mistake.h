// Explains the result of a wrong function by a planted mistake or by the right step on altered inputs.
#pragma once

#include <span>
#include <string>

#include "harness/isolated/step_inputs.h"
#include "harness/isolated/trial.h"
#include "steps/step.h"

namespace byhand {

// The name of the mistake that, planted in `right`, produces `ours` from the input of the step that makes `makes`,
// within `limits`, while the exact result is outside them. If there are several, the nearest; empty if there is none.
// Mistakes are planted in float, so `limits` are those of float for either type of `ours`.
std::string known_mistake(const Graph& right, const std::string& makes, const StepInput& input,
                          std::span<const double> ours, std::span<const double> limits);

// "the last row of dlogits is left out" if the right step produces `ours` without it: the first or last row or column
// of one of its inputs. "the right step makes these numbers of −logits" if an input has the other sign. Else empty.
std::string altered_read(const Step& right, const StepInput& input, std::span<const double> ours,
                         std::span<const double> limits);

// Sets the trial's mistake or, if none is found and it has no hint, a hint of the second kind.
void name_mistake(Trial& trial, const Graph& right, const std::string& makes, const StepInput& input,
                  std::span<const double> ours, std::span<const double> limits);

}  // namespace byhand
