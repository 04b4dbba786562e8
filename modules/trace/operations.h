// LibTorch's operations as the references of traced steps. They are in a module of their own, byhand_trace.so, which
// depends on LibTorch.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "byhand/reference.h"
#include "trace/graph.h"

namespace byhand {

// An operation on views.
struct TracedCall {
    TracedStep step;
    std::vector<std::optional<std::size_t>> views;  // of each input: the place of its view; none for a number or null
};

// A term of a gradient: the vector–Jacobian product of an operation.
struct Pullback {
    TracedCall call;
    std::optional<std::size_t> gradient;  // the place of the view of the gradient of its result; none: 1, of a loss
    std::optional<std::size_t> result;    // of its result, if its gradient can be computed from that
};

// What a gradient's evaluation computes: the sum of its terms, from the results that the program has kept where that is
// possible, or the sum of their magnitudes.
enum class Terms { sum, from_results, magnitudes };

struct TracedOperations {
    std::vector<std::string> (*names)();
    // Throws InputError if the operation is known, but its inputs or attributes are not what it takes.
    bool (*knows)(const TracedStep& step);
    // Whether the gradient of a known operation can be computed from its result, as that of tanh.
    bool (*has_gradient_from_result)(const std::string& operation);
    // Of known operations. An evaluation throws std::invalid_argument if the views do not fit.
    Evaluate (*value)(const TracedCall& call, std::size_t views);
    // The gradient of the view at the place `of`.
    Evaluate (*gradient)(const std::vector<Pullback>& pullbacks, std::size_t of, std::size_t views, Terms terms);
};

// Loads LibTorch and the module. Throws InputError if one is missing or can't be loaded.
const TracedOperations& load_traced_operations();

}  // namespace byhand

// The module's entry.
extern "C" const byhand::TracedOperations* byhand_trace();
