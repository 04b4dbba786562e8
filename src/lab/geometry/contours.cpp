#include "lab/geometry/contours.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include "lab/geometry/eigen.h"

namespace byhand::lab {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The plane of two weights, seen from the best of them: (u, v) are steps along the directions in which the loss bends
// least and most, each measured by how far it takes to climb by 1 if the valley were a parabola.
struct Plane {
    YesOrNo question;              // of three inputs: the two, and what the others with their weights add up to
    std::vector<double> best;      // the third of these is 1, and the bias 0
    double least = 0;              // the loss there
    std::array<double, 2> bend{};  // its eigenvalues: least, most
    std::array<std::array<double, 2>, 2> direction{};

    std::vector<double> at(double u, double v) const {
        std::vector<double> weights = best;
        const double along = u * std::sqrt(2 / bend[0]), across = v * std::sqrt(2 / bend[1]);
        for (std::size_t i = 0; i < 2; ++i) {
            weights[i] += along * direction[0][i] + across * direction[1][i];
        }
        return weights;
    }
    // How far to go at this angle until the loss has risen so much: by bisection, since it is convex.
    double radius(double angle, double rise) const {
        constexpr int kHalvings = 24;
        const double u = std::cos(angle), v = std::sin(angle);
        const auto risen = [&](double far) { return loss_of(question, at(far * u, far * v)) - least >= rise; };
        double low = 0, high = std::sqrt(rise);
        while (!risen(high)) {
            low = high;
            high *= 2;
        }
        for (int i = 0; i < kHalvings; ++i) {
            const double middle = (low + high) / 2;
            (risen(middle) ? high : low) = middle;
        }
        return high;
    }
};

Plane plane_of(const YesOrNo& question, std::size_t a, std::size_t b) {
    const std::vector<double> best = best_weights(question);
    Plane plane{{question.n, 3, {}, question.Y}, {best[a], best[b], 1, 0}, loss_of(question, best), {}, {}};
    for (std::size_t i = 0; i < question.n; ++i) {
        const double* row = &question.x[i * question.inputs];
        double others = best.back();
        for (std::size_t k = 0; k < question.inputs; ++k) {
            others += k == a || k == b ? 0 : best[k] * row[k];
        }
        plane.question.x.insert(plane.question.x.end(), {row[a], row[b], others});
    }
    const std::size_t size = plane.best.size();
    const std::vector<double> bend = curvature(plane.question, plane.best);
    const Eigen eigen = symmetric_eigen({bend[0], bend[1], bend[size], bend[size + 1]}, 2);
    plane.bend = {eigen.values[1], eigen.values[0]};
    plane.direction = {{{eigen.vectors[2], eigen.vectors[3]}, {eigen.vectors[0], eigen.vectors[1]}}};
    return plane;
}

// What lies outside the square window is left out.
void add(Series& series, const std::vector<double>& weights, const std::vector<double>& centre, double half) {
    const double x = weights[0], y = weights[1];
    const bool inside = std::abs(x - centre[0]) <= half && std::abs(y - centre[1]) <= half;
    series.x.push_back(inside ? x : kNaN);
    series.y.push_back(inside ? y : kNaN);
}

// Closed, of so many points that a side which crosses the window is drawn smoothly.
Series contour(const Plane& plane, double rise, double half) {
    constexpr std::size_t kPoints = 480;
    Series series{"", {}, {}, {}, {}, Style::line};
    for (std::size_t i = 0; i <= kPoints; ++i) {
        const double angle = 2 * std::numbers::pi * static_cast<double>(i) / kPoints;
        const double far = plane.radius(angle, rise);
        add(series, plane.at(far * std::cos(angle), far * std::sin(angle)), plane.best, half);
    }
    return series;
}

}  // namespace

Contours contours_of(const YesOrNo& question, std::size_t a, std::size_t b, const std::string& title,
                     const std::string& x_label, const std::string& y_label) {
    constexpr double kLowest = 0.01, kHigher = 4, kRate = 1.8;
    constexpr std::size_t kLevels = 6, kSteps = 40;
    const Plane plane = plane_of(question, a, b);
    Contours found{
        {title, x_label, y_label, {}, false, false, true}, std::sqrt(plane.bend[1] / plane.bend[0]), 0, kSteps};
    // The lowest contour fills the window from end to end.
    const double end = plane.radius(0, kLowest);
    const std::vector<double> tip = plane.at(end, 0);
    const double half = 1.2 * std::max(std::abs(tip[0] - plane.best[0]), std::abs(tip[1] - plane.best[1]));
    double rise = kLowest;
    for (std::size_t level = 0; level < kLevels; ++level, rise *= kHigher) {
        Series series = contour(plane, rise, half);
        if (!std::ranges::all_of(series.x, [](double x) { return std::isnan(x); })) {
            found.plot.series.push_back(std::move(series));
        }
    }
    const double angle = 0.75 * std::numbers::pi, far = plane.radius(angle, kLowest);
    Series path{"gradient descent", {}, {}, {}, {}, Style::both};
    const auto note = [&](double loss, const std::vector<double>& weights) {
        add(path, weights, plane.best, half);
        found.left = (loss - plane.least) / kLowest;
        return true;
    };
    descend(plane.question, plane.at(far * std::cos(angle), far * std::sin(angle)), kRate / plane.bend[1], kSteps + 1,
            2, note);
    found.plot.series.push_back(std::move(path));
    return found;
}

}  // namespace byhand::lab
