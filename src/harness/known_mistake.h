// The planted mistake that makes the same wrong numbers as a function that is wrong.
#pragma once

#include <span>
#include <string>

#include "harness/questions.h"
#include "steps/step.h"

namespace byhand {

// The name of the mistake that, planted in `right`, makes `ours` of the question to the step that makes `makes`, within
// `limits`, and not the right answer: of several the one that comes nearest. Empty where none does.
std::string known_mistake(const Graph& right, const std::string& makes, const Question& question,
                          std::span<const double> ours, std::span<const double> limits);

}  // namespace byhand
