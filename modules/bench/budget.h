// How the time of a step divides among its operations, each timed in isolation.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/network.h"
#include "bench/machine.h"
#include "bench/operations.h"
#include "bench/rounds.h"
#include "bench/timed_steps.h"
#include "report/document.h"

namespace byhand::bench {

// A kind of operation: the sum of the median times of all that a step contains.
struct BudgetPart {
    std::string name;  // "products"
    double seconds = 0;
    double limit = 0;  // the machine's (bench/budget.h)
};

struct Budget {
    std::string recipe;
    Spread step;  // seconds of a whole step by hand
    std::vector<BudgetPart> parts;
    // What the operations do not explain: drawing the batch, calls, the state of the caches. Negative if the step
    // computes the first layer by character, or an update in one pass with its gradient.
    double rest = 0;
};

// Precondition: all of one recipe, at least one.
Budget budget_of(std::span<const OperationTimes> operations, const Spread& step, const Machine& machine);

Json json_of(const Budget& budget);
Table table_of(const Budget& budget);

// ---- The floating-point operations of a training step, counted from its formulas ----

// The FLOP of a matrix product, (n, in) by (in, out): a multiplication and an addition for each term.
inline double product_flops(std::size_t n, std::size_t in, std::size_t out) {
    return 2.0 * static_cast<double>(n) * static_cast<double>(in) * static_cast<double>(out);
}

// The FLOP of a training step with batches of `rows`: the three products of every linear, y = x·W, dW = xᵀ·dy and dx =
// dy·Wᵀ; the first linear's dx too, because the embedding is learned. Everything else is of a lower order and ignored:
// biases, norms, tanh, softmax, gathering and scattering the embedding, and the update.
double step_flops(const NetworkConfig& config, std::size_t rows);

// ---- The least time that a machine needs for a step by the formulas of modules/fast/simd ----

// Seconds to read and write these arrays, results in place of operands, and do nothing else: the median of several
// loops. 0 without arrays.
double pass_seconds(const Work& work, std::size_t rounds);

// The longer of its FLOP at the machine's peak and, in seconds, a pass over its arrays.
double limit_of(const Work& work, double pass, const Machine& machine);

}  // namespace byhand::bench
