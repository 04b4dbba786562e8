// Figures of a sample.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

// Over the sample; the deviation with divisor n − 1, and 0 for a single value.
struct MeanAndDeviation {
    double mean = 0, deviation = 0;
};
// Precondition: `values` is not empty.
MeanAndDeviation mean_and_deviation(const std::vector<double>& values);

// NaN if a value is.
struct Median {
    double median = 0, least = 0, most = 0;
};
Median median_of(const std::vector<double>& values);

// measure(item) of each item; `measure` may be a member.
template <class Items, class Measure>
std::vector<double> figures_of(const Items& items, Measure measure) {
    std::vector<double> figures;
    figures.reserve(std::size(items));
    for (const auto& item : items) {
        figures.push_back(std::invoke(measure, item));
    }
    return figures;
}

// "2.41 ± 0.02": a mean and its spread. The value is {"mean", "deviation"}.
Cell with_spread(const std::vector<double>& values, int decimals);

// The numbers of the column with this key, of a mean and deviation the mean; NaN where there is no number. Throws
// std::out_of_range where no column has the key.
std::vector<double> numbers_of_column(const Table& table, const std::string& key);

// ‖a·b‖ over ‖a‖·‖b‖. Precondition: as many elements in both.
double cosine(const std::vector<double>& a, const std::vector<double>& b);

// The square root of Σ x².
double norm(const std::vector<double>& x);

// a − b. Precondition: as many elements in both.
std::vector<double> difference(const std::vector<double>& a, const std::vector<double>& b);

// ---- A recipe's schedule in fewer steps, or more ----

// So many steps in all; each learning rate holds for the same share of them as before.
Recipe in_steps(Recipe recipe, std::size_t steps);

}  // namespace byhand::lab
