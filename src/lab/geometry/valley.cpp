#include "lab/geometry/valley.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lab/geometry/eigen.h"

namespace byhand::lab {
namespace {

std::vector<double> zeros(const YesOrNo& question) {
    return std::vector<double>(question.inputs + 1, 0);
}

// Bisection of its logarithm, to two thousandths. Where yes and no are linearly separable every rate
// converges, to weights without end: then the largest that is tried.
double largest_rate(const YesOrNo& question, double guess, std::size_t steps) {
    constexpr double kTo = 1.002, kMostTimes = 1 << 20;
    double low = guess;
    while (!converges(question, low, steps)) {
        low /= 2;
    }
    double high = 2 * low;
    while (converges(question, high, steps)) {
        low = high;
        high *= 2;
        if (high > kMostTimes * guess) {
            return low;
        }
    }
    while (high / low > kTo) {
        const double middle = std::sqrt(low * high);
        (converges(question, middle, steps) ? low : high) = middle;
    }
    return low;
}

struct Arrival {
    std::optional<std::size_t> steps;
    double loss = 0;
};

Arrival arrival(const YesOrNo& question, double rate, double target, std::size_t limit) {
    Arrival found;
    std::size_t step = 0;
    descend(question, zeros(question), rate, limit + 1, question.inputs + 1,
            [&](double loss, const std::vector<double>&) {
                found.loss = loss;
                if (loss <= target) {
                    found.steps = step;
                    return false;
                }
                ++step;
                return true;
            });
    return found;
}

}  // namespace

bool converges(const YesOrNo& question, double rate, std::size_t steps) {
    constexpr double kRounding = 1e-12;
    const std::size_t late = steps - steps / 10;
    double before = std::numeric_limits<double>::infinity();
    std::size_t step = 0;
    bool falls = true;
    descend(question, zeros(question), rate, steps, question.inputs + 1, [&](double loss, const std::vector<double>&) {
        falls = std::isfinite(loss) && (step <= late || loss <= before + kRounding);
        before = loss;
        ++step;
        return falls;
    });
    return falls;
}

Valley measure_valley(const YesOrNo& question, double target, const ValleyLimits& limits) {
    const std::size_t size = question.inputs + 1;
    Valley valley;
    const std::vector<double> gram = gram_matrix(question);
    double largest = 0, smallest = std::numeric_limits<double>::infinity();
    for (std::size_t k = 0; k < size; ++k) {
        largest = std::max(largest, gram[k * size + k]);
        smallest = std::min(smallest, gram[k * size + k]);
    }
    valley.columns = std::sqrt(largest / smallest);
    valley.condition = condition_number(symmetric_eigen(gram, size));
    valley.theory_at_start = 2 / symmetric_eigen(curvature(question, zeros(question)), size).values.front();
    const Eigen bend = symmetric_eigen(curvature(question, best_weights(question)), size);
    valley.narrow = condition_number(bend);
    valley.theory_at_best = 2 / bend.values.front();
    valley.largest_rate = largest_rate(question, valley.theory_at_start, limits.convergence_steps);
    std::optional<Arrival> best;
    for (const double share : {1.0, 0.85, 0.7, 0.5, 0.25}) {
        const std::size_t limit = best && best->steps ? *best->steps : limits.steps;
        const Arrival one = arrival(question, share * valley.largest_rate, target, limit);
        const bool sooner = best && one.steps && (!best->steps || *one.steps < *best->steps);
        const bool lower = best && !one.steps && !best->steps && one.loss < best->loss;
        if (!best || sooner || lower) {
            best = one;
            valley.best_rate = share * valley.largest_rate;
        }
    }
    valley.steps = best->steps;
    valley.loss = best->loss;
    return valley;
}

}  // namespace byhand::lab
