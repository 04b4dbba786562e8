#include "lab/paired.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "lab/figures.h"

namespace byhand::lab {

std::string higher_or_lower(const std::vector<double>& differences) {
    const auto finite = std::ranges::count_if(differences, [](double one) { return std::isfinite(one); });
    if (static_cast<std::size_t>(finite) < differences.size()) {
        return fmt::format("not finite on {} of {} seeds", differences.size() - static_cast<std::size_t>(finite),
                           differences.size());
    }
    const MeanAndDeviation of = mean_and_deviation(differences);
    const char* which = of.mean > 0 ? "higher" : "lower";
    if (differences.size() == 1) {
        return fmt::format("{:.3g} {} on one seed, which shows no spread", std::abs(of.mean), which);
    }
    return fmt::format("{:.3g} ± {:.2g} {}, {:.1f} standard deviations", std::abs(of.mean), of.deviation, which,
                       std::abs(of.mean) / of.deviation);
}

std::vector<double> differences(const std::vector<double>& first, const std::vector<double>& second) {
    std::vector<double> all(first.size());
    std::ranges::transform(first, second, all.begin(), [](double a, double b) { return a - b; });
    return all;
}

bool is_clear(const std::vector<double>& differences) {
    const MeanAndDeviation of = mean_and_deviation(differences);
    return differences.size() > 1 && std::abs(of.mean) > 2 * of.deviation;
}

}  // namespace byhand::lab
