// Rounded at the limits of float's range: the smallest numbers, and numbers beyond the largest.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>

#include "steps/rounded_numbers.h"

using namespace byhand;
using namespace byhand::test;

TEST_CASE("rounded: a product of subnormal numbers with a power of two is rounded") {
    const float x = 1.7F * 0x1p-120F;
    const Three half = map([](auto a, auto b) { return a * b; }, given(x), given(0x1p-25F));
    CHECK(half.rounded.error >= 0x1p-150);
    CHECK(holds(half.computed, half.exact, half.rounded.error));
    // A factor that is zero up to its error: its product is still rounded, to a subnormal number or to zero.
    Number nearly = exact(0x1p-90F) * exact(1.1F) - exact(0x1p-90F * 1.1F);
    nearly.value = 0;
    const Number product = nearly * exact(0x1p-40F);
    CHECK(product.error >= 0x1p-150);
    CHECK(product.any_order() >= 0x1p-150);
    // All of the smallest numbers.
    std::mt19937_64 random(6);
    for (int run = 0; run < 20000; ++run) {
        const float a = drawn(random, -149, -60), b = drawn(random, -70, 0);
        const Three made = applied(run % 2 == 0 ? 2 : 3, given(a), given(b));
        if (std::isfinite(made.rounded.error)) {
            REQUIRE(holds(made.computed, made.exact, made.rounded.error));
        }
    }
}

TEST_CASE("rounded: bounds are infinite where float may leave its range") {
    const Number large = exact(3e38F), one = exact(1);
    CHECK(is_infinite(large + large));
    CHECK(is_infinite(large * exact(2)));
    CHECK(is_infinite(large / exact(0.5F)));
    CHECK(is_infinite(exp(exact(89))));
    CHECK(std::isfinite(exp(exact(88)).error));
    CHECK(std::isfinite(exp(exact(-200)).error));
    CHECK(is_infinite(one / exact(0)));
    CHECK(is_infinite(exact(0) / exact(0)));
    CHECK(is_infinite(log(exact(0))));
    CHECK(is_infinite(log(exact(-1))));
    CHECK(is_infinite(sqrt(exact(-1))));
    // Not only if the value itself is out of range, but also if its error may take it there.
    const Number rounded = exact(1.1F) * exact(1.3F);
    const Number nearly_zero = rounded - exact(1.1F * 1.3F);
    CHECK(std::abs(nearly_zero.value) <= nearly_zero.error);
    CHECK(is_infinite(one / nearly_zero));
    CHECK(is_infinite(log(nearly_zero)));
    CHECK(is_infinite(sqrt(nearly_zero)));
    CHECK(std::isfinite(tanh(nearly_zero).error));
    CHECK(std::isfinite(exp(nearly_zero).error));
    // Infinite bounds stay infinite.
    const Number gone = one / exact(0);
    CHECK(is_infinite(gone + one));
    CHECK(is_infinite(gone * exact(0)));
    CHECK(is_infinite(gone - gone));
    CHECK(is_infinite(exp(-gone)));
    CHECK(is_infinite(one / gone));
    // 3e38 − 3e38 + 1 is finite in this order; in another, 3e38 + 3e38 is not.
    const Number sum = large - large + large;
    CHECK(std::isfinite(sum.error));
    CHECK_FALSE(std::isfinite(sum.any_order()));
}
