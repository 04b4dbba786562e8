// The gradients of an isolated norm, compared with finite differences.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <vector>

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
    constexpr double kStep = 1e-5, kWithin = 2e-8;
    REQUIRE(numbers.size() == gradient.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const double kept = numbers[i];
        numbers[i] = kept + kStep;
        const double more = loss();
        numbers[i] = kept - kStep;
        const double less = loss();
        numbers[i] = kept;
        INFO("element " << i << " of " << numbers.size());
        CHECK(std::fabs(gradient[i] - (more - less) / (2 * kStep)) < kWithin);
    }
}
