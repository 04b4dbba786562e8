// The gradients of an isolated operation, compared with finite differences; and random inputs of a norm.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "manual/networks.h"

// Σ dy·y: the loss whose gradient with respect to y is dy.
inline double weighted(const std::vector<double>& dy, const std::vector<double>& y) {
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
        sum += dy[i] * y[i];
    }
    return sum;
}

// Checks that `gradient` is the derivative of loss(), which reads `numbers`, with respect to each of them.
template <class Loss>
void check_slopes(std::vector<double>& numbers, const std::vector<double>& gradient, Loss loss) {
    constexpr double kStep = 1e-4, kWithin = 1e-9;
    REQUIRE(numbers.size() == gradient.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const auto slope = [&, kept = numbers[i]](double step) {
            numbers[i] = kept + step;
            const double more = loss();
            numbers[i] = kept - step;
            const double less = loss();
            numbers[i] = kept;
            return (more - less) / (2 * step);
        };
        INFO("element " << i << " of " << numbers.size());
        // The error of each slope is a·h² + …: their difference cancels it.
        CHECK(std::fabs(gradient[i] - (4 * slope(kStep) - slope(2 * kStep)) / 3) < kWithin);
    }
}

// x and dy (n, H), γ and β (H).
template <class T>
struct NormInput {
    std::size_t n, H;
    std::vector<T> x, dy, gain, bias;
};

// The same numbers in every type.
template <class T>
NormInput<T> drawn(std::size_t n, std::size_t H, unsigned seed = 41) {
    std::mt19937 random(seed);
    const auto draw = [&](std::size_t count, float low, float high) {
        std::vector<T> numbers;
        for (std::size_t i = 0; i < count; ++i) {
            numbers.push_back(T(networks::uniform(random, low, high)));
        }
        return numbers;
    };
    return {n, H, draw(n * H, -1, 4), draw(n * H, -2, 1), draw(H, -2, 3), draw(H, -1, 1)};
}

// Checks y and dx in float against those in double: they differ by no more than `bounds`, which are computed in Rounded
// and are not blunt.
template <class Narrow, class Bounds, class Right>
void check_bounds(const Narrow& narrow, const Bounds& bounds, const Right& right) {
    for (std::size_t i = 0; i < right.dx.size(); ++i) {
        CHECK(std::fabs(static_cast<double>(narrow.y[i]) - right.y[i]) <= bounds.y[i].any_order());
        CHECK(std::fabs(static_cast<double>(narrow.dx[i]) - right.dx[i]) <= bounds.dx[i].any_order());
        CHECK(bounds.dx[i].any_order() < 1e-3);
    }
}
