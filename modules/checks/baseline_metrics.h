// The metrics that others judge two tensors by, to see what they would have caught.
#pragma once

#include <string>
#include <vector>

#include "byhand/view.h"

namespace byhand {

struct BaselineMetric {
    std::string name;
    std::string rule;
    bool (*passes)(const View& ours, const View& theirs);
};

// allclose at its defaults (relative 1e-5, absolute 1e-8), largest difference ≤ 2e-2, normalised mean square error
// ≤ 1e-7, cosine ≥ 0.999, mean difference ≤ 1e-5. Each as it is commonly written: `if (error > limit) fail`, which a
// NaN passes, except allclose, which it does not.
const std::vector<BaselineMetric>& baseline_metrics();

// Whether every tensor that both have passes.
bool all_pass(const BaselineMetric& metric, const std::vector<View>& ours, const std::vector<View>& theirs);

}  // namespace byhand
