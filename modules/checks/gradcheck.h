// Checks every gradient against finite differences of the loss, in double: a reference that only requires the forward
// pass.
//
// For each value that has a gradient, some of its elements are moved, one at a time, and the forward steps after it run
// again over the same tensors, so that every use of the value is affected. The limit of an element is the bound of the
// difference quotient (differences.h) and the rounding of our own gradient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "byhand/rounded.h"
#include "harness/limits/monte_carlo.h"
#include "judge/finding.h"
#include "steps/step.h"

namespace byhand {

// The difference quotient is the right value; figures are over the elements that were moved. vacuous: both values of
// each are zero, without rounding. missing: a parameter has no gradient.
struct CheckedGradient : Finding {
    std::string name, function;  // what, and what makes it
    std::size_t checked = 0;     // elements that were moved
    std::size_t undecided = 0;   // of these, with uninformative limits
};

struct GradcheckConfig {
    std::size_t elements = 32;  // of each gradient at most
    std::uint64_t seed = 1;     // of which ones
    // Whether to check the gradient of this name; empty: every gradient.
    std::function<bool(const std::string&)> checks = {};
    MonteCarloConfig monte_carlo = {};  // by which the losses' rounding is measured
};

// In the order in which the gradients are made; a parameter without one comes last. Half of the elements are drawn from
// all, half from those whose gradient is not zero. Checked are the functions in double; `state` is a table equal to
// state(graph.config). Throws std::logic_error where a step has no function on numbers that carry their errors, or the
// runner refuses the graph.
std::vector<CheckedGradient> gradcheck(const Graph& graph, const Tensors<float>& state, const Batch& batch,
                                       const GradcheckConfig& config);

}  // namespace byhand
