// Where in a sample a share of it ends.
#pragma once

#include <vector>

namespace byhand {

// The value below which this share of the sample lies, between neighbours in proportion; 0.5 is the median.
// Precondition: `values` is not empty, 0 ≤ share ≤ 1.
double quantile(std::vector<double> values, double share);

}  // namespace byhand
