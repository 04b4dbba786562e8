#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>

#include "lab/claims/claims.h"

using namespace byhand::lab;
using Catch::Matchers::WithinAbs;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Trained with_curve(std::vector<double> curve) {
    Trained trained;
    trained.curve = std::move(curve);
    return trained;
}

}  // namespace

TEST_CASE("the final loss: the last fifth of a curve") {
    CHECK_THAT(final_loss(with_curve({9, 9, 9, 9, 9, 9, 9, 9, 2, 3})), WithinAbs(2.5, 1e-12));
    CHECK_THAT(final_loss(with_curve({9, 9, 4})), WithinAbs(4, 1e-12));
    CHECK(final_loss(with_curve({})) == kInfinity);
    Trained ended = with_curve({3, 2});
    ended.finite = false;
    CHECK(final_loss(ended) == kInfinity);
}

TEST_CASE("steps to a loss, or all of them") {
    Trained trained = with_curve({3, 2.5, 2.6, 2.4});
    CHECK(steps_or_all(trained, 2.5, 450) == 200);
    CHECK(steps_or_all(trained, 2.3, 450) == 450);
    trained.finite = false;
    CHECK(steps_or_all(trained, 2.5, 450) == 450);
    CHECK(steps_or_all(with_curve({}), 2.5, 450) == 450);
}

TEST_CASE("the largest rate that trains") {
    const std::vector<double> rates = {0.25, 0.5, 1, 2};
    CHECK(largest_below(rates, {2.5, 2.4, 2.7, 9}, 2.8) == 1);
    CHECK(largest_below(rates, {2.5, 9, 2.7, kInfinity}, 2.8) == 1);
    CHECK(largest_below(rates, {2.5, std::nan(""), 2.8, 9}, 2.8) == 0.25);
    CHECK(!largest_below(rates, {3, 3, 3, 3}, 2.8));
}

TEST_CASE("decades within a tolerance of the lowest, the crossings in proportion") {
    const std::vector<double> factors = {0.01, 0.1, 1, 10, 100};
    // From the lowest at 1: down to half way between 0.01 and 0.1, up to a quarter of the way to 100.
    CHECK_THAT(decades_within(factors, {2.08, 2.02, 2, 2.04, 2.08}, 0.05), WithinAbs(1.5 + 1.25, 1e-9));
    CHECK_THAT(decades_within(factors, {2, 2, 2, 2, 2}, 0.05), WithinAbs(4, 1e-12));
    CHECK_THAT(decades_within(factors, {9, 9, 2, 9, 9}, 0.07), WithinAbs(0.02, 1e-12));
    // A dip beyond a hill does not count; what is not finite ends it at the point before.
    CHECK_THAT(decades_within(factors, {2, 2.1, 2, 1.99, kInfinity}, 0.06), WithinAbs(1 + 0.05 / 0.1, 1e-9));
    CHECK(decades_within(factors, std::vector<double>(5, kInfinity), 0.05) == 0);
}

TEST_CASE("the loss of the characters' frequencies") {
    // Counts 3, 1, 0, one added to each: of 7, 4/7, 2/7, 1/7.
    CHECK_THAT(frequency_loss({0, 0, 1, 0}, {0, 2}, 3), WithinAbs(-(std::log(4.0 / 7) + std::log(1.0 / 7)) / 2, 1e-12));
}

TEST_CASE("how units wander, in their own deviations") {
    // Unit 1: mean 0, 2, deviation 1, 3. Unit 2: mean 5, 5, deviation 2, 2. Over two moments, divisor 1.
    const double wander = wander_of({{0, 5}, {2, 5}}, {{1, 2}, {3, 2}});
    CHECK_THAT(wander, WithinAbs(std::sqrt(2) / 4, 1e-12));
    // Ten times the scale: nothing changes.
    CHECK_THAT(wander_of({{0, 50}, {20, 50}}, {{10, 20}, {30, 20}}), WithinAbs(wander, 1e-12));
}
