#include "base/quantile.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>

using namespace byhand;

TEST_CASE("quantile: interpolates linearly between neighbours") {
    CHECK(quantile({3, 1, 2}, 0.5) == 2);
    CHECK(quantile({4, 1, 2, 3}, 0.5) == 2.5);
    CHECK(quantile({4, 1, 2, 3}, 0) == 1);
    CHECK(quantile({4, 1, 2, 3}, 1) == 4);
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    CHECK(quantile({1, kInfinity, kInfinity, kInfinity}, 0.5) == kInfinity);
    CHECK(quantile({1, kInfinity}, 0.5) == kInfinity);
    CHECK(quantile({7}, 0.9) == 7);
    // Infinite values above do not affect lower quantiles.
    CHECK(quantile({1, 2, std::numeric_limits<double>::infinity()}, 0.5) == 2);
}
