#include "lab/geometry/valley.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace byhand::lab {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> zeros(const Regression& data) {
    return std::vector<double>(data.inputs + 1, 0);
}

// ---- rates and steps ----

// Bisection of its logarithm, to two thousandths. Where the classes are linearly separable every rate converges, to
// weights without end: then the largest that is tried.
double largest_rate(const Regression& data, double guess, std::size_t steps) {
    constexpr double kTo = 1.002, kMostTimes = 1 << 20;
    double low = guess;
    while (!converges(data, low, steps)) {
        low /= 2;
    }
    double high = 2 * low;
    while (converges(data, high, steps)) {
        low = high;
        high *= 2;
        if (high > kMostTimes * guess) {
            return low;
        }
    }
    while (high / low > kTo) {
        const double middle = std::sqrt(low * high);
        (converges(data, middle, steps) ? low : high) = middle;
    }
    return low;
}

// Infinite if the limit is reached before the target.
double steps_to(const Regression& data, double rate, double target, std::size_t limit) {
    double steps = kInfinity, step = 0;
    descend(data, zeros(data), rate, limit + 1, data.inputs + 1, [&](double loss, const std::vector<double>&) {
        if (loss <= target) {
            steps = step;
        }
        ++step;
        return !(loss <= target);
    });
    return steps;
}

// ---- contours ----

// The plane of two weights, seen from the best of them: (u, v) are steps along the directions in which the loss bends
// least and most, each measured by how far it takes to climb by 1 if the valley were a parabola.
struct Plane {
    const Regression& data;  // two inputs
    std::vector<double> best;
    double least = 0;              // the loss there
    std::array<double, 2> bend{};  // eigenvalues: least, most
    std::array<std::array<double, 2>, 2> direction{};

    std::vector<double> at(double u, double v) const {
        std::vector<double> weights = best;
        const double along = u * std::sqrt(2 / bend[0]), across = v * std::sqrt(2 / bend[1]);
        for (std::size_t i = 0; i < 2; ++i) {
            weights[i] += along * direction[0][i] + across * direction[1][i];
        }
        return weights;
    }
    // The weights at this angle where the loss has risen so much: by bisection, since it is convex.
    std::vector<double> contour_at(double angle, double rise) const {
        constexpr int kHalvings = 24;
        const double u = std::cos(angle), v = std::sin(angle);
        const auto risen = [&](double far) { return loss_of(data, at(far * u, far * v)) - least >= rise; };
        double low = 0, high = std::sqrt(rise);
        while (!risen(high)) {
            low = high;
            high *= 2;
        }
        for (int i = 0; i < kHalvings; ++i) {
            const double middle = (low + high) / 2;
            (risen(middle) ? high : low) = middle;
        }
        return at(high * u, high * v);
    }
};

Plane plane_of(const Regression& data) {
    const std::vector<double> best = best_weights(data), bend = curvature(data, best);
    const std::size_t size = best.size();
    const Spectrum two = spectrum_of({bend[0], bend[1], bend[size], bend[size + 1]}, 2);
    return {data,
            best,
            loss_of(data, best),
            {two.values[1], two.values[0]},
            {{{two.vectors[2], two.vectors[3]}, {two.vectors[0], two.vectors[1]}}}};
}

// A square around the best weights; points outside are left out of a curve.
struct Window {
    double x = 0, y = 0, half = 0;

    void add(Series& series, const std::vector<double>& weights) const {
        constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
        const bool inside = std::abs(weights[0] - x) <= half && std::abs(weights[1] - y) <= half;
        series.x.push_back(inside ? weights[0] : kNaN);
        series.y.push_back(inside ? weights[1] : kNaN);
    }
};

}  // namespace

bool converges(const Regression& data, double rate, std::size_t steps) {
    constexpr double kRounding = 1e-12;
    const std::size_t late = steps - steps / 10;
    double before = kInfinity;
    std::size_t step = 0;
    bool falls = true;
    descend(data, zeros(data), rate, steps, data.inputs + 1, [&](double loss, const std::vector<double>&) {
        falls = std::isfinite(loss) && (step <= late || loss <= before + kRounding);
        before = loss;
        ++step;
        return falls;
    });
    return falls;
}

Valley measure_valley(const Regression& data, double target, const ValleyLimits& limits) {
    const std::size_t size = data.inputs + 1;
    const auto most_curved = [&](const std::vector<double>& weights) {
        return spectrum_of(curvature(data, weights), size).values.front();
    };
    Valley valley;
    valley.condition = condition_number(gram_matrix(data), size);
    valley.theory = 2 / most_curved(best_weights(data));
    valley.largest_rate = largest_rate(data, 2 / most_curved(zeros(data)), limits.convergence_steps);
    valley.steps = static_cast<double>(limits.steps);
    for (const double share : {1.0, 0.85, 0.7, 0.5, 0.25}) {
        const auto limit = static_cast<std::size_t>(valley.steps);
        valley.steps = std::min(valley.steps, steps_to(data, share * valley.largest_rate, target, limit));
    }
    return valley;
}

Contours contours_of(const Regression& data, Plot plot) {
    constexpr double kLowest = 0.01, kHigher = 4, kRate = 1.8;
    constexpr std::size_t kLevels = 6, kSteps = 40;
    constexpr std::size_t kPoints = 480;  // enough for a smooth curve across the window
    const Plane plane = plane_of(data);
    Contours found{std::move(plot), std::sqrt(plane.bend[1] / plane.bend[0]), 0};
    found.plot.same_scale = true;
    // The lowest contour fills the window from end to end.
    const std::vector<double> tip = plane.contour_at(0, kLowest);
    const Window window{plane.best[0], plane.best[1],
                        1.2 * std::max(std::abs(tip[0] - plane.best[0]), std::abs(tip[1] - plane.best[1]))};
    double rise = kLowest;
    for (std::size_t level = 0; level < kLevels; ++level, rise *= kHigher) {
        Series series{"", {}, {}, {}, {}, Style::line};
        for (std::size_t i = 0; i <= kPoints; ++i) {
            window.add(series, plane.contour_at(2 * std::numbers::pi * static_cast<double>(i) / kPoints, rise));
        }
        if (!std::ranges::all_of(series.x, [](double x) { return std::isnan(x); })) {
            found.plot.series.push_back(std::move(series));
        }
    }
    Series path{"gradient descent", {}, {}, {}, {}, Style::both};
    descend(plane.data, plane.contour_at(0.75 * std::numbers::pi, kLowest), kRate / plane.bend[1], kSteps + 1, 2,
            [&](double loss, const std::vector<double>& weights) {
                window.add(path, weights);
                found.left = (loss - plane.least) / kLowest;
                return true;
            });
    found.plot.series.push_back(std::move(path));
    return found;
}

}  // namespace byhand::lab
