// The values of a network beside LibTorch's: which are compared, and what is found of each.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/end_to_end/value_report.h"
#include "harness/limits/monte_carlo.h"
#include "judge/finding.h"

namespace byhand {

// What a candidate must have, so that nothing is left out unnoticed: every value of the stepwise reference; the loss,
// the logits, every parameter's gradient and every new_X; or no more than it gives (the rest is `not_given`).
enum class Coverage { everything, required, given };

// Where all zeros are no sign of an empty check: the inputs of both implementations, and gradients that are zero in
// exact arithmetic in this network (a bias before a norm, whose mean takes it out again).
std::set<std::string> zero_is_expected(const NetworkConfig& config);

// Adds to `values` the findings of one candidate against one of LibTorch's networks, and a value where there is none of
// that name yet; `oracle` may be empty.
void compare_views(std::vector<ValueReport>& values, const NetworkConfig& config, const Glossary& glossary,
                   Coverage coverage, const std::vector<View>& ours, Against against, const std::vector<View>& theirs,
                   const std::vector<View>& oracle, const Limits& limits, bool pictures = false);

// ---- A tensor of the hand-written implementation beside LibTorch's of the same name ----

// Judges `manual` against `oracle`, beside `torch`, or against `torch` where there is no oracle of that shape. A tensor
// that one implementation does not have, or whose shapes differ, has no figures: null where it is missing. Then the
// verdict is missing, before all that judge() looks at. `limits` as judge takes them.
Finding compare_tensor(const View* manual, const View* torch, const View* oracle, std::span<const double> limits,
                       Vacuous vacuous);

}  // namespace byhand
