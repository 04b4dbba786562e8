// How the time of a step divides among its operations, each timed in isolation.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "bench/machine.h"
#include "bench/operations.h"
#include "bench/rounds.h"
#include "report/document.h"

namespace byhand::bench {

// A kind of operation: the sum of the median times of all that a step contains.
struct BudgetPart {
    std::string name;  // "products"
    double seconds = 0;
    double limit = 0;  // the machine's (bench/limit.h)
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

}  // namespace byhand::bench
