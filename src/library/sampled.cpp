#include "library/sampled.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <stdexcept>

#include "base/narrow.h"
#include "harness/isolated/trial.h"
#include "harness/limits/limits.h"
#include "harness/limits/monte_carlo.h"

namespace byhand {
namespace {

constexpr std::size_t kRuns = 32;
constexpr double kFalseAlarm = 1e-12;
constexpr double kLastPlace = 0x1p-23;        // of float, over its value
constexpr double kSubnormals = 4 * 0x1p-149;  // a few roundings of products that are subnormal
constexpr double kLargest = std::numeric_limits<float>::max();

bool equal(double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
}

// Inputs of which nothing overflows in double that does not do so by rule, as the logarithm of 0 and 0/0.
constexpr double kModerate = 32;

bool are_moderate(const std::vector<View>& inputs) {
    return std::ranges::all_of(inputs, [](const View& view) {
        for (std::size_t i = 0; i < count(view.shape); ++i) {
            if (!is_integer(view.dtype) && !(std::abs(value_at(view, i)) <= kModerate)) {
                return false;
            }
        }
        return true;
    });
}

// Adds an evaluation in float: the squares of its errors to the limits.
void add_evaluation(Sampled& to, const Computed& moved) {
    auto& [exact, squares, of_class] = to;
    if (moved.shape != exact.shape || moved.numbers.size() != squares.size()) {
        throw std::invalid_argument("the reference's " + exact.name + " has another shape in float than in double");
    }
    for (std::size_t i = 0; i < squares.size(); ++i) {
        const double error = moved.numbers[i] - exact.numbers[i];
        squares[i] += error * error / kRuns;
        of_class[i] =
            of_class[i] && same_class(moved.numbers[i], exact.numbers[i]) && (moved.copied || exact.numbers[i] != 0);
    }
}

}  // namespace

std::vector<Sampled> sampled(const Evaluate& evaluate, const std::vector<View>& inputs) {
    std::vector<Sampled> all;
    const bool moderate = are_moderate(inputs);
    for (Computed& exact : evaluate(inputs, std::nullopt)) {
        std::vector<double> limits(exact.numbers.size());
        all.push_back({std::move(exact), std::move(limits), {}});
        std::vector<bool>& of_class = all.back().of_class;
        std::ranges::transform(all.back().exact.numbers, std::back_inserter(of_class),
                               [moderate](double x) { return x == 0 || (moderate && !std::isfinite(x)); });
    }
    const std::vector<Computed> again = evaluate(inputs, std::nullopt);
    for (std::size_t v = 0; v < all.size(); ++v) {
        if (v >= again.size() || !std::ranges::equal(again[v].numbers, all[v].exact.numbers, equal)) {
            throw std::invalid_argument("the reference computes another " + all[v].exact.name +
                                        " when it is called again on the same inputs: is it random?");
        }
    }
    for (std::uint64_t run = 0; run < kRuns; ++run) {
        const std::vector<Computed> moved = evaluate(inputs, run);
        for (std::size_t v = 0; v < all.size(); ++v) {
            add_evaluation(all[v], v < moved.size() ? moved[v] : Computed{});
        }
    }
    const double factor = student_t(kRuns, kFalseAlarm);
    for (auto& [exact, limits, of_class] : all) {
        for (std::size_t i = 0; i < limits.size(); ++i) {
            const double size = std::abs(exact.numbers[i]);
            const double floor = std::max(kLastPlace * size, kSubnormals);
            const bool in_range = size <= kLargest && std::isfinite(limits[i]);
            limits[i] =
                in_range ? std::max(factor * std::sqrt(limits[i]), floor) : std::numeric_limits<double>::infinity();
        }
    }
    return all;
}

std::vector<double> limits_in(DType type, const std::vector<double>& right, std::vector<double> limits) {
    for (std::size_t i = 0; i < limits.size(); ++i) {
        if (type == DType::float64) {
            limits[i] = std::max(3 * kDoubles * limits[i], std::numeric_limits<double>::min());
        } else if (is_narrow(type)) {
            const double farthest = std::abs(right[i]) + limits[i];
            limits[i] = farthest < largest_of(type) ? limits[i] + spacing_at(farthest, type) / 2
                                                    : std::numeric_limits<double>::infinity();
        }
    }
    return limits;
}

const Sampled& find_sampled(const std::vector<Sampled>& all, const std::string& name) {
    const auto found = std::ranges::find(all, name, [](const Sampled& one) { return one.exact.name; });
    if (found == all.end()) {
        throw std::invalid_argument("the reference computes no " + name);
    }
    return *found;
}

}  // namespace byhand
