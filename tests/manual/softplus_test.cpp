// Softplus for values worked out by hand, and where an exponential overflows or vanishes.
#include <array>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>

#include "manual/softplus/formulas.h"

using namespace byhand;
using Catch::Matchers::WithinRel;

TEMPLATE_TEST_CASE("softplus: ln 2 at 0, ln 4 at ln 3, and the sigmoid as its derivative", "", float, double) {
    const auto x = std::array{TestType(0), static_cast<TestType>(std::log(3.0)), static_cast<TestType>(-std::log(3.0))};
    std::array<TestType, 3> h{}, dx{};
    softplus_forward(h.data(), x.data(), x.size());
    const double expected[] = {std::log(2.0), std::log(4.0), std::log(4.0 / 3)};
    const std::array<TestType, 3> dh = {2, -16, 3};
    softplus_backward(dx.data(), dh.data(), x.data(), x.size());
    const double slopes[] = {1, -12, 0.75};
    for (std::size_t i = 0; i < x.size(); ++i) {
        INFO(i);
        CHECK_THAT(static_cast<double>(h[i]), WithinRel(expected[i], 8.0 * std::numeric_limits<TestType>::epsilon()));
        CHECK_THAT(static_cast<double>(dx[i]), WithinRel(slopes[i], 8.0 * std::numeric_limits<TestType>::epsilon()));
    }
}

TEST_CASE("softplus: x itself for large x, e^x for small, 0 far below, and never infinite") {
    const std::array<float, 5> x = {1000, 1e30F, -20, -1000, -1e30F};
    std::array<float, 5> h{}, dx{};
    const std::array<float, 5> dh = {3, 3, 3, 3, 3};
    softplus_forward(h.data(), x.data(), x.size());
    softplus_backward(dx.data(), dh.data(), x.data(), x.size());
    CHECK(h[0] == 1000);
    CHECK(h[1] == 1e30F);
    CHECK_THAT(h[2], WithinRel(std::exp(-20.0), 1e-6));  // ln(1 + e^x) loses all of it without log1p
    CHECK(h[3] == 0);
    CHECK(h[4] == 0);
    CHECK_THAT(dx[2], WithinRel(3 * std::exp(-20.0), 1e-6));
    CHECK(std::array{dx[0], dx[1], dx[3], dx[4]} == std::array<float, 4>{3, 3, 0, 0});
}
