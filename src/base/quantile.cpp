#include "base/quantile.h"

#include <algorithm>
#include <cstddef>

namespace byhand {

double quantile(std::vector<double> values, double share) {
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
