#include "byhand/gradcheck.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>

#include "base/hash.h"
#include "harness/differences.h"
#include "harness/limits/monte_carlo.h"
#include "library/checked.h"

namespace byhand {
namespace {

constexpr std::size_t kRuns = 32;
constexpr double kFalseAlarm = 1e-12;
constexpr double kLastPlace = 0x1p-52, kLastPlaceOfFloat = 0x1p-23;  // over its value
constexpr double kSmallest = 0x1p-1022;  // of full precision: below, rounding is not relative

// What rounding may do to the value and to each element of the gradient: the deviation (root mean square) at inputs
// moved by a unit in the last place, times Student's t, and a few units in the last place. If all values of f are those
// of float, although they differ, f computes in float, and the unit is that of float.
struct Rounding {
    double value = 0;
    std::vector<double> gradient;
    double accuracy = 0;  // of f, relative; 0: of double
    bool in_float = false;
};

bool is_float(double value) {
    return static_cast<double>(static_cast<float>(value)) == value;
}

Rounding rounding_of(const ScalarFunction& f, const std::vector<double>& x, double value,
                     const std::vector<double>& gradient, double unit) {
    Rounding rounding{0, std::vector<double>(x.size())};
    rounding.in_float = is_float(value);
    for (std::uint64_t run = 0; run < kRuns; ++run) {
        std::vector<double> moved = x, slopes(x.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            moved[i] *= 1 + (mixed(run * x.size() + i) % 2 == 0 ? unit : -unit);
        }
        const double there = f(moved, slopes), difference = there - value;
        rounding.in_float = rounding.in_float && is_float(there);
        rounding.value += difference * difference / kRuns;
        for (std::size_t i = 0; i < x.size(); ++i) {
            rounding.gradient[i] += (slopes.at(i) - gradient[i]) * (slopes[i] - gradient[i]) / kRuns;
        }
    }
    const double factor = student_t(kRuns, kFalseAlarm);
    const auto limit = [&](double square, double size) {
        return factor * std::sqrt(square) + 4 * unit * std::abs(size);
    };
    rounding.value = limit(rounding.value, value);
    for (std::size_t i = 0; i < x.size(); ++i) {
        rounding.gradient[i] = limit(rounding.gradient[i], gradient[i]);
    }
    return rounding;
}

// The same, in float if f computes in it, and with the accuracy that f is said to have.
Rounding rounding_of(const ScalarFunction& f, const std::vector<double>& x, double value,
                     const std::vector<double>& gradient, const GradcheckOptions& options) {
    constexpr double kMove = 0x1p-10;
    std::vector<double> moved = x, none;
    std::ranges::transform(moved, moved.begin(), [](double number) { return number * (1 + kMove) + kMove; });
    const double elsewhere = f(moved, none);
    Rounding rounding = rounding_of(f, x, value, gradient, kLastPlace);
    rounding.in_float = rounding.in_float && elsewhere != value && is_float(elsewhere);
    if (rounding.in_float) {
        rounding = rounding_of(f, x, value, gradient, kLastPlaceOfFloat);
        rounding.in_float = true;
        rounding.accuracy = kLastPlaceOfFloat;
    }
    if (options.accuracy > 0) {
        rounding.accuracy = std::max(rounding.accuracy, options.accuracy);
        rounding.value = std::max(rounding.value, options.accuracy * std::abs(value));
        double largest = 0;
        for (const double slope : gradient) {
            largest = std::max(largest, std::abs(slope));
        }
        for (double& limit : rounding.gradient) {
            limit = std::max(limit, options.accuracy * largest);
        }
    }
    return rounding;
}

// The distance over which differences are taken, over that of an accurate f: with the fifth root of the error.
double widened(double accuracy) {
    constexpr double kFarthest = 64;
    return accuracy > 0 ? std::clamp(0x1p10 * std::pow(accuracy, 0.2), 1.0, kFarthest) : 1;
}

// One input's part of the gradient, of the elements that are checked.
struct Part {
    std::string name;
    std::size_t first = 0, size = 0;  // of x
};

// What is said of an element where f has a kink. Empty if it has none there, or the gradient is not between the slopes.
std::string kink_of(const std::string& element, const Slope& expected, double ours, double limit) {
    const bool is_between = std::abs(ours - expected.value) <= limit;
    const double left = expected.value - expected.jump / 2, right = expected.value + expected.jump / 2;
    return is_between && std::abs(expected.jump) > kTooWide * std::max(std::abs(left), std::abs(right))
               ? fmt::format(
                     "{} is at a kink of f: the slope is {:.4g} on the left and {:.4g} on the right, and the "
                     "gradient {:.4g}",
                     element, left, right, ours)
               : "";
}

// `size` is that of the terms of f.
Checked checked_part(const Part& part, const ScalarFunction& f, const std::vector<double>& x,
                     const std::vector<double>& gradient, const Rounding& rounding, double size,
                     const GradcheckOptions& options, std::vector<std::string>& notes) {
    const std::span<const double> all(gradient), values(x);
    const double scale = root_mean_square(values.subspan(part.first, part.size));
    std::mt19937_64 generator(options.seed);
    const std::vector<std::size_t> positions =
        elements_to_check(all.subspan(part.first, part.size), options.elements, generator);
    Elements elements;
    std::vector<double> moved = x, none;
    std::vector<std::string> kinks;
    for (const std::size_t position : positions) {
        const std::size_t i = part.first + position;
        const auto at = [&](double to) {
            moved[i] = to;
            return f(moved, none);
        };
        const Slope expected = slope(at, x[i], scale * widened(rounding.accuracy), rounding.value + kSmallest);
        moved[i] = x[i];
        const double limit = expected.bound + rounding.gradient[i] + kSmallest;
        if (std::string kink = kink_of(fmt::format("{}[{}]", part.name, position), expected, gradient[i], limit);
            !kink.empty()) {
            kinks.push_back(std::move(kink));
            continue;
        }
        elements.positions.push_back(position);
        elements.ours.push_back(gradient[i]);
        elements.differences.push_back(expected.value);
        elements.limits.push_back(limit);
        elements.own_rounding.push_back(rounding.gradient[i]);
    }
    if (!kinks.empty()) {
        notes.push_back(kinks.front() +
                        (kinks.size() == 1 ? "" : fmt::format("; so are {} more elements", kinks.size() - 1)));
    }
    const View own = view_of(elements.ours), right = view_of(elements.differences);
    Checked checked{
        .name = part.name, .shape = {part.size}, .type = DType::float64, .trials = elements.positions.size()};
    if (elements.ours.empty()) {
        checked.trial.verdict = Verdict::undecided;
        return checked;
    }
    static_cast<Finding&>(checked.trial) =
        judge(own, &right, nullptr, elements.limits, {.too_wide = TooWide::undecided, .scale_of_both = true});
    checked.trial.verdict = verdict_of(elements, checked.trial.verdict, kTooWide * size / scale);
    if (checked.trial.verdict == Verdict::mismatch) {
        checked.trial.hint =
            hint(elements.ours, elements.differences, elements.limits, {elements.ours.size()}, {{1, "n"}});
    }
    if (checked.trial.worst) {
        checked.trial.worst->position = elements.positions[checked.trial.worst->position];
    }
    return checked;
}

// Throws std::invalid_argument if f differs when it is called again.
void refuse_if_random(const Named& named, const ScalarFunction& f, const std::vector<double>& x, double value,
                      const std::vector<double>& gradient) {
    std::vector<double> again(x.size(), std::numeric_limits<double>::quiet_NaN());
    const double second = f(x, again);
    const auto differ = [](double a, double b) { return a != b && !(std::isnan(a) && std::isnan(b)); };
    const std::string at_end = " when it is called again at the same x: is it random? Fix its seed";
    if (differ(value, second)) {
        throw std::invalid_argument(fmt::format("{}: f is {} and then {}{}", named.name, value, second, at_end));
    }
    for (std::size_t i = 0; i < gradient.size() && i < again.size(); ++i) {
        if (differ(gradient[i], again[i])) {
            throw std::invalid_argument(
                fmt::format("{}: gradient[{}] is {} and then {}{}", named.name, i, gradient[i], again[i], at_end));
        }
    }
}

Report checked_parts(const Named& named, const ScalarFunction& f, const std::vector<double>& x,
                     const std::vector<Part>& parts, const GradcheckOptions& options) {
    std::vector<double> gradient(x.size(), std::numeric_limits<double>::quiet_NaN());
    const double value = f(x, gradient);
    if (gradient.size() != x.size()) {
        throw std::invalid_argument(named.name + ": the gradient has " + std::to_string(gradient.size()) +
                                    " elements, but x has " + std::to_string(x.size()));
    }
    refuse_if_random(named, f, x, value, gradient);
    const Rounding rounding = rounding_of(f, x, value, gradient, options);
    // Of f's terms, which may cancel: rounding is hardly less than a unit in the last place of the largest.
    constexpr double kUnits = 64;
    const double size = std::max(std::abs(value), rounding.value / (kUnits * kLastPlace));
    std::vector<std::string> notes;
    if (rounding.in_float) {
        notes.emplace_back("f computes in float, so that the limits are wide; in double they are narrow");
    }
    std::vector<Checked> all;
    all.reserve(parts.size());
    for (const Part& part : parts) {
        all.push_back(checked_part(part, f, x, gradient, rounding, size, options, notes));
    }
    return report_of(named.name, place_of(named), all, "", notes);
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
