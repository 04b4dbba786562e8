#include "byhand/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

#include "base/mixed.h"
#include "harness/gradcheck/differences.h"
#include "harness/limits/monte_carlo.h"
#include "library/checked.h"

namespace byhand {
namespace {

constexpr std::size_t kRuns = 32;
constexpr double kFalseAlarm = 1e-12;
constexpr double kLastPlace = 0x1p-52;  // of double, over its value

// What rounding may do to the value and to each element of the gradient: the deviation (root mean square) at inputs
// moved by a unit in the last place, times Student's t, and a few units in the last place.
struct Rounding {
    double value = 0;
    std::vector<double> gradient;
};

Rounding rounding_of(const ScalarFunction& f, const std::vector<double>& x, double value,
                     const std::vector<double>& gradient) {
    Rounding rounding{0, std::vector<double>(x.size())};
    for (std::uint64_t run = 0; run < kRuns; ++run) {
        std::vector<double> moved = x, slopes(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            moved[i] *= 1 + (mixed(run * x.size() + i) % 2 == 0 ? kLastPlace : -kLastPlace);
        }
        const double difference = f(moved, slopes) - value;
        rounding.value += difference * difference / kRuns;
        for (std::size_t i = 0; i < x.size(); ++i) {
            rounding.gradient[i] += (slopes.at(i) - gradient[i]) * (slopes[i] - gradient[i]) / kRuns;
        }
    }
    const double factor = student_t(kRuns, kFalseAlarm);
    const auto limit = [&](double square, double size) {
        return factor * std::sqrt(square) + 4 * kLastPlace * std::abs(size);
    };
    rounding.value = limit(rounding.value, value);
    for (std::size_t i = 0; i < x.size(); ++i) {
        rounding.gradient[i] = limit(rounding.gradient[i], gradient[i]);
    }
    return rounding;
}

// One input's part of the gradient, of the elements that are checked.
struct Part {
    std::string name;
    std::size_t first = 0, size = 0;  // of x
};

Checked checked_part(const Part& part, const ScalarFunction& f, const std::vector<double>& x,
                     const std::vector<double>& gradient, const Rounding& rounding, const GradcheckOptions& options) {
    const std::span<const double> all(gradient), values(x);
    const double scale = root_mean_square(values.subspan(part.first, part.size));
    std::mt19937_64 generator(options.seed);
    const std::vector<std::size_t> positions =
        elements_to_check(all.subspan(part.first, part.size), options.elements, generator);
    std::vector<double> ours, differences, limits, moved = x, none;
    for (const std::size_t position : positions) {
        const std::size_t i = part.first + position;
        const auto at = [&](double to) {
            moved[i] = to;
            return f(moved, none);
        };
        const Slope expected = slope(at, x[i], scale, rounding.value);
        moved[i] = x[i];
        ours.push_back(gradient[i]);
        differences.push_back(expected.value);
        limits.push_back(expected.bound + rounding.gradient[i]);
    }
    const View own = view_of(ours), right = view_of(differences);
    Checked checked{.name = part.name,
                    .shape = {part.size},
                    .type = DType::float64,
                    .trials = positions.size(),
                    .out_of_range = 0,
                    .reads = {},
                    .trial = {}};
    static_cast<Finding&>(checked.trial) =
        judge(own, &right, nullptr, limits, {.too_wide = TooWide::undecided, .scale_of_both = true});
    if (checked.trial.verdict == Verdict::mismatch) {
        checked.trial.hint = hint(ours, differences, limits, {ours.size()}, {{1, "n"}});
    }
    if (checked.trial.worst) {
        checked.trial.worst->position = positions[checked.trial.worst->position];
    }
    return checked;
}

Report checked_parts(const Named& named, const ScalarFunction& f, const std::vector<double>& x,
                     const std::vector<Part>& parts, const GradcheckOptions& options) {
    std::vector<double> gradient(x.size(), std::numeric_limits<double>::quiet_NaN());
    const double value = f(x, gradient);
    if (gradient.size() != x.size()) {
        throw std::invalid_argument(named.name + ": the gradient has " + std::to_string(gradient.size()) +
                                    " elements, but x has " + std::to_string(x.size()));
    }
    const Rounding rounding = rounding_of(f, x, value, gradient);
    std::vector<Checked> all;
    all.reserve(parts.size());
    for (const Part& part : parts) {
        all.push_back(checked_part(part, f, x, gradient, rounding, options));
    }
    return report_of(named.name, place_of(named), all);
}

// The products of all inputs, one after the other. Throws std::invalid_argument where one has another size than its
// input.
std::vector<double> joined(const Named& named, const Inputs& products, const Inputs& inputs) {
    std::vector<double> all;
    for (std::size_t i = 0; i < products.size(); ++i) {
        if (i >= inputs.size() || products[i].size() != inputs[i].size()) {
            throw std::invalid_argument(named.name + ": the product for input " + std::to_string(i) + " has " +
                                        std::to_string(products[i].size()) + " elements, but the input " +
                                        (i < inputs.size() ? std::to_string(inputs[i].size()) : "is missing"));
        }
        all.insert(all.end(), products[i].begin(), products[i].end());
    }
    return all;
}

}  // namespace

Report gradcheck(const Named& named, const ScalarFunction& f, const std::vector<double>& x,
                 const GradcheckOptions& options) {
    if (x.empty()) {
        throw std::invalid_argument(named.name + ": x has no elements");
    }
    return checked_parts(named, f, x, {{"gradient", 0, x.size()}}, options);
}

Report gradcheck(const Named& named, const Forward& forward, const Backward& backward, const Inputs& inputs,
                 const GradcheckOptions& options) {
    std::vector<double> x;
    std::vector<Part> parts;
    for (const std::vector<double>& input : inputs) {
        if (!input.empty()) {
            parts.push_back({"gradient of input " + std::to_string(parts.size()), x.size(), input.size()});
        }
        x.insert(x.end(), input.begin(), input.end());
    }
    if (parts.empty()) {
        throw std::invalid_argument(named.name + ": there are no inputs with elements");
    }
    std::vector<double> dy = forward(inputs);
    std::mt19937_64 generator(options.seed);
    for (double& element : dy) {  // from 1/2 to 3/2, of either sign
        const std::uint64_t bits = generator();
        element = (bits % 2 == 0 ? 1 : -1) * (0.5 + static_cast<double>(bits >> 11) * 0x1p-53);
    }
    // The scalar Σ dy·y of all inputs, one after the other.
    const ScalarFunction f = [&](const std::vector<double>& moved, std::vector<double>& gradient) {
        Inputs now = inputs;
        auto from = moved.begin();
        for (std::vector<double>& input : now) {
            std::copy_n(from, input.size(), input.begin());
            from += static_cast<std::ptrdiff_t>(input.size());
        }
        if (!gradient.empty()) {
            gradient = joined(named, backward(now, dy), inputs);
        }
        const std::vector<double> y = forward(now);
        double sum = 0;
        for (std::size_t k = 0; k < dy.size(); ++k) {
            sum += dy[k] * y.at(k);
        }
        return sum;
    };
    return checked_parts(named, f, x, parts, options);
}

}  // namespace byhand
