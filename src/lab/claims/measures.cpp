#include "lab/claims/measures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "lab/figures.h"

namespace byhand::lab {
namespace {

// Figure by figure, the values of one unit.
std::vector<double> of_unit(const std::vector<std::vector<double>>& moments, std::size_t unit) {
    std::vector<double> values(moments.size());
    for (std::size_t i = 0; i < moments.size(); ++i) {
        values[i] = moments[i][unit];
    }
    return values;
}

// How far from the place of the lowest, on the logarithm of x, y stays within the limit when one goes by `step`.
double reach(const std::vector<double>& x, const std::vector<double>& y, std::size_t lowest, std::ptrdiff_t step,
             double limit) {
    std::size_t at = lowest;
    for (;;) {
        const std::size_t next = at + static_cast<std::size_t>(step);  // past either end it is no index
        if (next >= x.size()) {
            return std::abs(std::log10(x[at] / x[lowest]));
        }
        if (!(y[next] <= limit)) {
            const double part = std::isfinite(y[next]) ? (limit - y[at]) / (y[next] - y[at]) : 0;
            return std::abs(std::log10(x[at] / x[lowest])) + part * std::abs(std::log10(x[next] / x[at]));
        }
        at = next;
    }
}

}  // namespace

double final_loss(const Trained& trained) {
    constexpr std::size_t kPart = 5;
    const std::vector<double>& curve = trained.curve;
    if (!trained.finite || curve.empty()) {
        return std::numeric_limits<double>::infinity();
    }
    const std::size_t last = std::max<std::size_t>(1, curve.size() / kPart);
    return std::accumulate(curve.end() - static_cast<std::ptrdiff_t>(last), curve.end(), 0.0) /
           static_cast<double>(last);
}

double steps_or_all(const Trained& trained, double loss, std::size_t all) {
    return static_cast<double>(trained.finite ? steps_to(trained, loss).value_or(all) : all);
}

std::optional<double> largest_below(const std::vector<double>& x, const std::vector<double>& y, double limit) {
    for (std::size_t i = x.size(); i-- > 0;) {
        if (y[i] < limit) {
            return x[i];
        }
    }
    return std::nullopt;
}

double decades_within(const std::vector<double>& x, const std::vector<double>& y, double tolerance) {
    const auto lowest = static_cast<std::size_t>(std::ranges::min_element(y) - y.begin());
    if (!std::isfinite(y[lowest])) {
        return 0;
    }
    const double limit = y[lowest] + tolerance;
    return reach(x, y, lowest, -1, limit) + reach(x, y, lowest, 1, limit);
}

double frequency_loss(const std::vector<std::int64_t>& train, const std::vector<std::int64_t>& characters,
                      std::size_t vocabulary) {
    std::vector<double> counts(vocabulary, 1);
    for (const std::int64_t character : train) {
        ++counts[static_cast<std::size_t>(character)];
    }
    const auto all = static_cast<double>(train.size() + vocabulary);
    double sum = 0;
    for (const std::int64_t character : characters) {
        sum -= std::log(counts[static_cast<std::size_t>(character)] / all);
    }
    return sum / static_cast<double>(characters.size());
}

Wander wander_of(const UnitFigures& figures) {
    Wander wander;
    double spread = 0;
    for (std::size_t unit = 0; unit < figures.means.front().size(); ++unit) {
        const MeanAndDeviation deviations = mean_and_deviation(of_unit(figures.deviations, unit));
        wander.mean += mean_and_deviation(of_unit(figures.means, unit)).deviation;
        wander.deviation += deviations.deviation;
        spread += deviations.mean;
    }
    return {wander.mean / spread, wander.deviation / spread};
}

std::size_t typical_unit(const UnitFigures& figures) {
    std::vector<std::size_t> units(figures.means.front().size());
    std::iota(units.begin(), units.end(), 0);
    std::ranges::sort(units, {},
                      [&](std::size_t unit) { return mean_and_deviation(of_unit(figures.means, unit)).deviation; });
    return units[units.size() / 2];
}

}  // namespace byhand::lab
