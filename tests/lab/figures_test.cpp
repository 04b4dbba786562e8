#include "lab/figures.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>

using namespace byhand::lab;
using Catch::Matchers::WithinAbs;

TEST_CASE("mean and deviation of a sample") {
    const MeanAndDeviation figures = mean_and_deviation({2, 4, 4, 4, 5, 5, 7, 9});
    CHECK_THAT(figures.mean, WithinAbs(5, 1e-12));
    CHECK_THAT(figures.deviation, WithinAbs(std::sqrt(32.0 / 7), 1e-12));
    CHECK(mean_and_deviation({3}).deviation == 0);
}

TEST_CASE("quantiles lie between neighbours in proportion") {
    CHECK(quantile({3, 1, 2}, 0.5) == 2);
    CHECK(quantile({4, 1, 2, 3}, 0.5) == 2.5);
    CHECK(quantile({4, 1, 2, 3}, 0) == 1);
    CHECK(quantile({4, 1, 2, 3}, 1) == 4);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    CHECK(quantile({1, kInfinity, kInfinity, kInfinity}, 0.5) == kInfinity);
    CHECK(quantile({1, kInfinity}, 0.5) == kInfinity);
    CHECK(quantile({7}, 0.9) == 7);
    // What is infinite above does not reach what lies below it.
    CHECK(quantile({1, 2, std::numeric_limits<double>::infinity()}, 0.5) == 2);
}

TEST_CASE("cosine, norm and the largest difference") {
    CHECK_THAT(cosine({3, 4}, {4, 3}), WithinAbs(0.96, 1e-12));
    CHECK_THAT(cosine({1, -2}, {-2, 4}), WithinAbs(-1, 1e-12));
    CHECK(norm({3, -4}) == 5);
    CHECK(largest_difference({1, 2, 3}, {1, 5, 2}) == 3);
    CHECK(std::isnan(largest_difference({1, std::nan(""), 9}, {1, 1, 1})));
}
