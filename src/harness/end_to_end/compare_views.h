// The values of a network beside LibTorch's: which of them are compared, and the finding of each.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/end_to_end/value_report.h"
#include "harness/limits/monte_carlo.h"
#include "judge/finding.h"

namespace byhand {

// The values that a candidate must have, so that a missing one is noticed: every value of the stepwise reference; the
// loss, the logits, every parameter's gradient and every new_X; or only those that are given (the rest is `not_given`).
enum class Coverage { everything, required, given };

// Whether a value may be all zero: an input of both implementations, or a gradient that is zero in exact arithmetic in
// this network, as that of a bias before a norm, which subtracts the mean.
std::set<std::string> zero_is_expected(const NetworkConfig& config);

// Adds to `values` the findings of one candidate against one of LibTorch's networks; a value of a new name is appended.
// `oracle` may be empty.
void compare_views(std::vector<ValueReport>& values, const NetworkConfig& config, const Glossary& glossary,
                   Coverage coverage, const std::vector<View>& ours, Against against, const std::vector<View>& theirs,
                   const std::vector<View>& oracle, const Limits& limits, bool pictures = false);

// ---- A tensor of the hand-written implementation beside LibTorch's of the same name ----

// Judges `manual` against `oracle`, beside `torch`, or against `torch` if there is no oracle of that shape. Null stands
// for a missing tensor: its verdict is `missing`, and neither it nor one of another shape has figures. `limits` as in
// judge().
Finding compare_tensor(const View* manual, const View* torch, const View* oracle, std::span<const double> limits,
                       Vacuous vacuous);

}  // namespace byhand
