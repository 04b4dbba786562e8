// Quantiles of a sample.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace byhand {

// The value below which this share of the sample lies, interpolated linearly between neighbours; 0.5 is the median.
// Precondition: `values` is not empty, 0 ≤ share ≤ 1.
inline double quantile(std::vector<double> values, double share) {
    std::ranges::sort(values);
    const double place = share * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, values.size() - 1);
    const double part = place - static_cast<double>(below);
    // Two infinite neighbours have no difference to interpolate.
    const bool same = part == 0 || values[below] == values[above];
    return same ? values[below] : values[below] + part * (values[above] - values[below]);
}

}  // namespace byhand
