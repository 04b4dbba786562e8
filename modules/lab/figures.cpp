#include "lab/figures.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/quantile.h"
#include "judge/finding.h"

namespace byhand::lab {

MeanAndDeviation mean_and_deviation(std::span<const double> values) {
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

Median median_of(const std::vector<double>& values) {
    if (std::ranges::any_of(values, [](double value) { return std::isnan(value); })) {
        return {NAN, NAN, NAN};
    }
    return {quantile(values, 0.5), quantile(values, 0), quantile(values, 1)};
}

std::vector<double> numbers_of_column(const Table& table, const std::string& key) {
    const auto column =
        static_cast<std::size_t>(std::ranges::find(table.columns, key, &Column::key) - table.columns.begin());
    return figures_of(table.rows, [column](const std::vector<Cell>& row) {
        const Json& value = row.at(column).value;
        return value.is_number() ? value.get<double>() : value == Json("inf") ? INFINITY : NAN;
    });
}

double cosine(std::span<const double> a, std::span<const double> b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0) / (norm(a) * norm(b));
}

double norm(std::span<const double> x) {
    return std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
}

std::vector<double> difference(std::span<const double> a, std::span<const double> b) {
    std::vector<double> differences(a.size());
    std::ranges::transform(a, b, differences.begin(), std::minus());
    return differences;
}

double largest_magnitude(std::span<const double> x) {
    return largest_difference(view_of(x), view_of(std::vector<double>(x.size(), 0)));
}

double share(std::span<const double> found, std::span<const double> expected) {
    return largest_difference(view_of(found), view_of(expected)) / largest_magnitude(expected);
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
