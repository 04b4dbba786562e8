#include "lab/figures.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

using namespace byhand::lab;
using Catch::Matchers::WithinAbs;

TEST_CASE("mean and deviation of a sample") {
    const MeanAndDeviation figures = mean_and_deviation({2, 4, 4, 4, 5, 5, 7, 9});
    CHECK_THAT(figures.mean, WithinAbs(5, 1e-12));
    CHECK_THAT(figures.deviation, WithinAbs(std::sqrt(32.0 / 7), 1e-12));
    CHECK(mean_and_deviation({3}).deviation == 0);
}

TEST_CASE("cosine and norm") {
    CHECK_THAT(cosine({3, 4}, {4, 3}), WithinAbs(0.96, 1e-12));
    CHECK_THAT(cosine({1, -2}, {-2, 4}), WithinAbs(-1, 1e-12));
    CHECK(norm({3, -4}) == 5);
}

TEST_CASE("a mean with its deviation, as a cell") {
    CHECK(with_spread({1, 2, 3}, 2).shown == "2.00 ± 1.00");
}
