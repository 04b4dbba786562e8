#include "harness/differences.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <numeric>
#include <ranges>

namespace byhand {
namespace {

// At step h; see differences.h. `truncation` is the part of the bound that a smaller step would make smaller.
Slope slope_at(const std::function<double(double)>& loss, double x, double h, double noise, double& truncation) {
    constexpr double kRounding = 32;  // of a kink's estimate, more than the rounding of all losses
    const double here = loss(x);
    double D[3], jump[3];  // at h, 2h, 4h
    for (int k = 0; k < 3; ++k) {
        const double up = x + std::ldexp(h, k), down = x - std::ldexp(h, k);
        const double above = loss(up), below = loss(down);
        D[k] = (above - below) / (up - down);
        // (L(x + h) − L(x))/h − (L(x) − L(x − h))/h: a kink's jump, and a·h + b·h³ + … that any curve has.
        jump[k] = (above - here) / (up - x) - (here - below) / (x - down);
    }
    const double E1 = (4 * D[0] - D[1]) / 3, E2 = (4 * D[1] - D[2]) / 3;
    // Without the parts that go with h and h³.
    const double kink = (8 * (2 * jump[0] - jump[1]) - (2 * jump[1] - jump[2])) / 7;
    truncation = std::abs(E2 - E1) + std::abs(kink) / 2;
    const double bound = truncation + 1.5 * noise / h;
    const bool is_kink = std::abs(kink) > kRounding * noise / h && std::abs(kink) > bound;
    return std::isfinite(E1) && std::isfinite(bound) ? Slope{E1, bound, is_kink ? kink : 0} : Slope{};
}

}  // namespace

Slope slope(const std::function<double(double)>& loss, double x, double scale, double noise) {
    Slope best;
    const double least = std::max(std::abs(x), scale * 0x1p-40) * 0x1p-28;
    double h = scale * 0x1p-10;
    while (h >= least) {
        double truncation = 0;
        const Slope next = slope_at(loss, x, h, noise, truncation);
        if (next.bound < best.bound) {
            best = next;
        }
        if (std::isfinite(next.bound) && truncation <= 2 * noise / h) {
            break;
        }
        h /= 8;
    }
    return best;
}

Verdict verdict_of(const Elements& e, Verdict judged, double sharp) {
    const auto all_zero = [](const std::vector<double>& numbers) {
        return std::ranges::all_of(numbers, [](double number) { return number == 0; });
    };
    if (judged == Verdict::mismatch || judged == Verdict::non_finite || e.ours.empty()) {
        return judged;
    }
    if (all_zero(e.ours) && all_zero(e.differences) && all_zero(e.own_rounding)) {
        return Verdict::vacuous;
    }
    const auto is_rounding = [&](std::size_t i) {
        return std::abs(e.ours[i]) <= e.own_rounding[i] && std::abs(e.differences[i]) <= e.limits[i] &&
               e.limits[i] <= sharp;
    };
    const bool only_rounding = std::ranges::all_of(std::views::iota(std::size_t{0}, e.ours.size()), is_rounding);
    return only_rounding ? Verdict::zero_within_rounding : judged;
}

double root_mean_square(std::span<const double> values) {
    double squares = 0;
    for (const double value : values) {
        squares += value * value;
    }
    const double root = std::sqrt(squares / static_cast<double>(values.size()));
    return root > 0 && std::isfinite(root) ? root : 1;
}

std::vector<std::size_t> elements_to_check(std::span<const double> gradient, std::size_t most,
                                           std::mt19937_64& generator) {
    std::vector<std::size_t> all(gradient.size()), chosen;
    std::iota(all.begin(), all.end(), std::size_t{0});
    if (all.size() <= most) {
        return all;
    }
    std::vector<std::size_t> filled;
    std::ranges::copy_if(all, std::back_inserter(filled), [&](std::size_t i) { return !(gradient[i] == 0); });
    std::vector<bool> taken(gradient.size());
    const auto draw = [&](std::vector<std::size_t>& from, std::size_t until) {
        for (std::size_t left = from.size(); left > 0 && chosen.size() < until; --left) {
            std::swap(from[generator() % left], from[left - 1]);
            const std::size_t position = from[left - 1];
            if (!taken[position]) {
                taken[position] = true;
                chosen.push_back(position);
            }
        }
    };
    draw(filled, most - most / 2);
    draw(all, most);
    std::ranges::sort(chosen);
    return chosen;
}

}  // namespace byhand
