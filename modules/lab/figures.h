// Figures of a sample.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

// Over the sample; the deviation with divisor n − 1, and 0 for a single value. Of no values, both are 0.
struct MeanAndDeviation {
    double mean = 0, deviation = 0;
};
MeanAndDeviation mean_and_deviation(std::span<const double> values);

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

// The numbers of the column with this key; NaN where there is none. Throws std::out_of_range where no column has the
// key.
std::vector<double> numbers_of_column(const Table& table, const std::string& key);

// The largest |x|; NaN if one is.
double largest_magnitude(std::span<const double> x);

// ‖a·b‖ over ‖a‖·‖b‖. Precondition: as many elements in both.
double cosine(std::span<const double> a, std::span<const double> b);

// The square root of Σ x².
double norm(std::span<const double> x);

// a − b. Precondition: as many elements in both.
std::vector<double> difference(std::span<const double> a, std::span<const double> b);

// The largest |found − expected| over the largest |expected|.
double share(std::span<const double> found, std::span<const double> expected);

// ---- A recipe's schedule in fewer steps, or more ----

// So many steps in all; each learning rate holds for the same share of them as before.
Recipe in_steps(Recipe recipe, std::size_t steps);

}  // namespace byhand::lab
