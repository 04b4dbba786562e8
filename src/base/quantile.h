// Quantiles of a sample.
#pragma once

#include <vector>

namespace byhand {

// The value below which this share of the sample lies, interpolated linearly between neighbours; 0.5 is the median.
// Precondition: `values` is not empty, 0 ≤ share ≤ 1.
double quantile(std::vector<double> values, double share);

}  // namespace byhand
