#include "lab/figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <stdexcept>

#include "base/quantile.h"

namespace byhand::lab {

MeanAndDeviation mean_and_deviation(const std::vector<double>& values) {
    const auto n = static_cast<double>(values.size());
    MeanAndDeviation figures;
    for (const double value : values) {
        figures.mean += value / n;
    }
    for (const double value : values) {
        figures.deviation += (value - figures.mean) * (value - figures.mean);
    }
    figures.deviation = values.size() < 2 ? 0 : std::sqrt(figures.deviation / (n - 1));
    return figures;
}

Cell with_spread(const std::vector<double>& values, int decimals) {
    const MeanAndDeviation figures = mean_and_deviation(values);
    return {fmt::format("{:.{}f} ± {:.{}f}", figures.mean, decimals, figures.deviation, decimals),
            {{"mean", number(figures.mean)}, {"deviation", number(figures.deviation)}}};
}

Median median_of(const std::vector<double>& values) {
    if (std::ranges::any_of(values, [](double value) { return std::isnan(value); })) {
        return {NAN, NAN, NAN};
    }
    return {quantile(values, 0.5), quantile(values, 0), quantile(values, 1)};
}

std::vector<double> numbers_of_column(const Table& table, const std::string& key) {
    const auto column = std::ranges::find(table.columns, key, &Column::key);
    if (column == table.columns.end()) {
        throw std::out_of_range("no column has the key " + key);
    }
    std::vector<double> all;
    for (const std::vector<Cell>& row : table.rows) {
        const Json& cell = row[static_cast<std::size_t>(column - table.columns.begin())].value;
        const Json& value = cell.is_object() ? cell.at("mean") : cell;
        // Numbers that are not finite are strings.
        all.push_back(value.is_number() ? value.get<double>()
                      : value == "inf"  ? std::numeric_limits<double>::infinity()
                                        : std::numeric_limits<double>::quiet_NaN());
    }
    return all;
}

double cosine(const std::vector<double>& a, const std::vector<double>& b) {
    double product = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        product += a[i] * b[i];
    }
    return product / (norm(a) * norm(b));
}

double norm(const std::vector<double>& x) {
    double squares = 0;
    for (const double each : x) {
        squares += each * each;
    }
    return std::sqrt(squares);
}

std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> differences(a.size());
    std::ranges::transform(a, b, differences.begin(), std::minus());
    return differences;
}

Recipe in_steps(Recipe recipe, std::size_t steps) {
    const double share = static_cast<double>(steps) / static_cast<double>(std::max<std::size_t>(1, recipe.steps));
    for (RateFrom& from : recipe.rates) {
        const double step = std::round(static_cast<double>(from.step) * share);
        from.step = static_cast<std::size_t>(std::min(step, static_cast<double>(kMostSteps)));
    }
    recipe.steps = steps;
    return recipe;
}

}  // namespace byhand::lab
