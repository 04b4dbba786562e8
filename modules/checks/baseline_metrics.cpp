#include "checks/baseline_metrics.h"

#include <algorithm>
#include <cmath>

namespace byhand {
namespace {

bool allclose(const View& ours, const View& theirs) {
    for (std::size_t i = 0; i < count(ours.shape); ++i) {
        const double a = value_at(ours, i), b = value_at(theirs, i);
        if (!(std::abs(a - b) <= 1e-8 + 1e-5 * std::abs(b))) {
            return false;
        }
    }
    return true;
}

bool largest(const View& ours, const View& theirs) {
    double most = 0;
    for (std::size_t i = 0; i < count(ours.shape); ++i) {
        const double difference = std::abs(value_at(ours, i) - value_at(theirs, i));
        most = difference > most ? difference : most;
    }
    return !(most > 2e-2);
}

bool normalised_mean_square(const View& ours, const View& theirs) {
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < count(ours.shape); ++i) {
        const double a = value_at(ours, i), b = value_at(theirs, i);
        difference += (a - b) * (a - b);
        size += b * b;
    }
    return !(difference / size > 1e-7);
}

bool cosine(const View& ours, const View& theirs) {
    double product = 0, a2 = 0, b2 = 0;
    for (std::size_t i = 0; i < count(ours.shape); ++i) {
        const double a = value_at(ours, i), b = value_at(theirs, i);
        product += a * b;
        a2 += a * a;
        b2 += b * b;
    }
    return !(product / std::sqrt(a2 * b2) < 0.999);
}

bool mean_difference(const View& ours, const View& theirs) {
    double sum = 0;
    const std::size_t elements = count(ours.shape);
    for (std::size_t i = 0; i < elements; ++i) {
        sum += value_at(ours, i) - value_at(theirs, i);
    }
    return !(std::abs(sum) / static_cast<double>(elements) > 1e-5);
}

}  // namespace

const std::vector<BaselineMetric>& baseline_metrics() {
    static const std::vector<BaselineMetric> all = {
        {"allclose", "relative 1e-5, absolute 1e-8", allclose},
        {"max-diff", "largest difference ≤ 2e-2", largest},
        {"nmse", "normalised mean square error ≤ 1e-7", normalised_mean_square},
        {"cosine", "cosine ≥ 0.999", cosine},
        {"mean-diff", "mean difference ≤ 1e-5", mean_difference},
    };
    return all;
}

bool all_pass(const BaselineMetric& metric, const std::vector<View>& ours, const std::vector<View>& theirs) {
    return std::ranges::all_of(ours, [&](const View& view) {
        const View* other = find(theirs, view.name);
        return other == nullptr || other->shape != view.shape || metric.passes(view, *other);
    });
}

}  // namespace byhand
