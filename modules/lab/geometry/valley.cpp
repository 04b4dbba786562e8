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

struct Arrival {
    double steps = kInfinity, loss = kInfinity;
};

Arrival arrival(const Regression& data, double rate, double target, std::size_t limit) {
    Arrival found;
    double step = 0;
    descend(data, zeros(data), rate, limit + 1, data.inputs + 1, [&](double loss, const std::vector<double>&) {
        found.loss = loss;
        if (loss <= target) {
            found.steps = step;
        }
        ++step;
        return !(loss <= target);
    });
    return found;
}

// ---- contours ----

// The plane of two weights, seen from the best of them: (u, v) are steps along the directions in which the loss bends
// least and most, each measured by how far it takes to climb by 1 if the valley were a parabola.
struct Plane {
    Regression data;               // three inputs: the two, and the sum of the others with their weights
    std::vector<double> best;      // the third weight is 1, and the bias 0
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

Plane plane_of(const Regression& data, std::size_t a, std::size_t b) {
    const std::vector<double> best = best_weights(data);
    Plane plane{{data.n, 3, {}, data.Y}, {best[a], best[b], 1, 0}, loss_of(data, best), {}, {}};
    for (std::size_t i = 0; i < data.n; ++i) {
        const double* row = &data.x[i * data.inputs];
        double others = best.back();
        for (std::size_t k = 0; k < data.inputs; ++k) {
            others += k == a || k == b ? 0 : best[k] * row[k];
        }
        plane.data.x.insert(plane.data.x.end(), {row[a], row[b], others});
    }
    const std::size_t size = plane.best.size();
    const std::vector<double> bend = curvature(plane.data, plane.best);
    const Spectrum two = spectrum_of({bend[0], bend[1], bend[size], bend[size + 1]}, 2);
    plane.bend = {two.values[1], two.values[0]};
    plane.direction = {{{two.vectors[2], two.vectors[3]}, {two.vectors[0], two.vectors[1]}}};
    return plane;
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
    const std::vector<double> gram = gram_matrix(data), bend = curvature(data, best_weights(data));
    double largest = 0, smallest = kInfinity;
    for (std::size_t k = 0; k < size; ++k) {
        largest = std::max(largest, gram[k * size + k]);
        smallest = std::min(smallest, gram[k * size + k]);
    }
    Valley valley;
    valley.columns = std::sqrt(largest / smallest);
    valley.condition = condition_number(gram, size);
    valley.narrow = condition_number(bend, size);
    valley.theory_at_start = 2 / spectrum_of(curvature(data, zeros(data)), size).values.front();
    valley.theory_at_best = 2 / spectrum_of(bend, size).values.front();
    valley.largest_rate = largest_rate(data, valley.theory_at_start, limits.convergence_steps);
    Arrival best;
    for (const double share : {1.0, 0.85, 0.7, 0.5, 0.25}) {
        const bool arrived = std::isfinite(best.steps);
        const std::size_t limit = arrived ? static_cast<std::size_t>(best.steps) : limits.steps;
        const Arrival one = arrival(data, share * valley.largest_rate, target, limit);
        if (valley.best_rate == 0 || one.steps < best.steps || (!arrived && one.loss < best.loss)) {
            best = one;
            valley.best_rate = share * valley.largest_rate;
        }
    }
    valley.steps = best.steps;
    valley.loss = best.loss;
    return valley;
}

Contours contours_of(const Regression& data, std::size_t a, std::size_t b, Plot plot) {
    constexpr double kLowest = 0.01, kHigher = 4, kRate = 1.8;
    constexpr std::size_t kLevels = 6, kSteps = 40;
    constexpr std::size_t kPoints = 480;  // enough for a smooth curve across the window
    const Plane plane = plane_of(data, a, b);
    Contours found{std::move(plot), std::sqrt(plane.bend[1] / plane.bend[0]), 0, kSteps};
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
