#include "library/sampled.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <stdexcept>

#include "base/narrow.h"
#include "harness/isolated/trial.h"
#include "harness/limits/monte_carlo.h"

namespace byhand {
namespace {

constexpr std::size_t kRuns = 32;
// Seeds of evaluations in double: of each order of sums and formulation (random_rounding.h).
constexpr std::uint64_t kInDouble[] = {1, 2, 3, 5, 7, 9, 10, 11};
constexpr double kFalseAlarm = 1e-12;
constexpr double kLastPlace = 0x1p-23;  // of float, over its value
// The rounding of a product that is subnormal, after a factor such as 1/√ε. The reference may group it in another way.
constexpr double kSubnormals = 1024 * 0x1p-149;
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

// Adds the squares of an evaluation's errors.
void add_evaluation(std::vector<double>& squares, const Computed& exact, const Computed& moved) {
    if (moved.shape != exact.shape || moved.numbers.size() != squares.size()) {
        throw std::invalid_argument("the reference's " + exact.name + " has another shape when it is evaluated again");
    }
    for (std::size_t i = 0; i < squares.size(); ++i) {
        const double error = moved.numbers[i] - exact.numbers[i];
        squares[i] += error * error;
    }
}

// The largest error that is likely, from the sum of squares of so many.
double limit_of(double squares, std::size_t runs, double factor) {
    return factor * std::sqrt(squares / static_cast<double>(runs));
}

}  // namespace

std::vector<Sampled> sampled(const Evaluate& evaluate, const std::vector<View>& inputs) {
    std::vector<Sampled> all;
    const bool moderate = are_moderate(inputs);
    for (Computed& exact : evaluate(inputs, {})) {
        std::vector<double> limits(exact.numbers.size());
        all.push_back({std::move(exact), std::move(limits), {}});
        std::vector<bool>& of_class = all.back().of_class;
        std::ranges::transform(all.back().exact.numbers, std::back_inserter(of_class),
                               [moderate](double x) { return x == 0 || (moderate && !std::isfinite(x)); });
    }
    const std::vector<Computed> again = evaluate(inputs, {});
    for (std::size_t v = 0; v < all.size(); ++v) {
        if (v >= again.size() || !std::ranges::equal(again[v].numbers, all[v].exact.numbers, equal)) {
            throw std::invalid_argument("the reference computes another " + all[v].exact.name +
                                        " when it is called again on the same inputs: is it random?");
        }
    }
    for (std::uint64_t run = 0; run < kRuns; ++run) {
        const std::vector<Computed> all_moved = evaluate(inputs, {DType::float32, run});
        for (std::size_t v = 0; v < all.size(); ++v) {
            const Computed moved = v < all_moved.size() ? all_moved[v] : Computed{};
            auto& [exact, squares, of_class, in_double] = all[v];
            add_evaluation(squares, exact, moved);
            for (std::size_t i = 0; i < of_class.size(); ++i) {
                const double right = exact.numbers[i];
                of_class[i] = of_class[i] && same_class(moved.numbers[i], right) && (moved.copied || right != 0);
            }
        }
    }
    static const double factor = student_t(kRuns, kFalseAlarm);
    for (auto& [exact, limits, of_class, in_double] : all) {
        for (std::size_t i = 0; i < limits.size(); ++i) {
            const double size = std::abs(exact.numbers[i]);
            const double floor = std::max(kLastPlace * size, kSubnormals);
            const bool in_range = size <= kLargest && std::isfinite(limits[i]);
            limits[i] = in_range ? std::max(limit_of(limits[i], kRuns, factor), floor)
                                 : std::numeric_limits<double>::infinity();
        }
    }
    return all;
}

void sample_in_double(const Evaluate& evaluate, const std::vector<View>& inputs, std::vector<Sampled>& all) {
    std::vector<Computed> right = evaluate(inputs, {});
    for (std::size_t v = 0; v < all.size() && v < right.size(); ++v) {
        all[v].exact = std::move(right[v]);
        all[v].in_double.assign(all[v].exact.numbers.size(), 0);
    }
    for (const std::uint64_t seed : kInDouble) {
        const std::vector<Computed> moved = evaluate(inputs, {DType::float64, seed});
        for (std::size_t v = 0; v < all.size() && v < moved.size(); ++v) {
            add_evaluation(all[v].in_double, all[v].exact, moved[v]);
        }
    }
    static const double factor = student_t(std::size(kInDouble), kFalseAlarm);
    for (Sampled& one : all) {
        std::ranges::transform(one.in_double, one.in_double.begin(), [&](double squares) {
            const double limit = limit_of(squares, std::size(kInDouble), factor);
            return std::isfinite(limit) ? limit : std::numeric_limits<double>::infinity();
        });
    }
}

std::vector<double> limits_in(DType type, const Sampled& right, std::vector<double> limits) {
    for (std::size_t i = 0; i < limits.size(); ++i) {
        if (type == DType::float64) {
            const double seen = i < right.in_double.size() ? right.in_double[i] : 0;
            limits[i] = std::max({3 * kDoubles * limits[i], seen, std::numeric_limits<double>::min()});
        } else if (is_narrow(type)) {
            const double farthest = std::abs(right.exact.numbers[i]) + limits[i];
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
