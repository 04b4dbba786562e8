// Rounded: the bound holds for the same computation in float in this order, it is not far too wide, and exact
// operations add nothing.
#include "byhand/rounded.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "steps/rounded_numbers.h"

using namespace byhand;
using namespace byhand::test;

TEST_CASE("rounded: the bound holds for random computations of any depth and size") {
    std::mt19937_64 random(1);
    struct Range {
        const char* name;
        int low, high;
    };
    for (const Range range : {Range{"near 1", -3, 2}, Range{"wide", -40, 40}, Range{"huge", 90, 127},
                              Range{"tiny", -126, -60}, Range{"subnormal", -149, -120}}) {
        INFO(range.name);
        std::size_t checked = 0, rounded = 0;
        for (int run = 0; run < 20000; ++run) {
            std::vector<Three> numbers;
            for (int i = 0; i < 3; ++i) {
                float x = drawn(random, range.low, range.high);
                if (run % 7 == 0) {
                    x = std::nearbyint(x);
                }
                numbers.push_back(given(x));
            }
            std::string program;
            for (int step = 0; step < 8; ++step) {
                const auto which = static_cast<unsigned>(random() % 10);
                const Three& a = numbers[random() % numbers.size()];
                const Three& b = numbers[random() % numbers.size()];
                const Three made = applied(which, a, b);
                program += std::to_string(which) + " ";
                if (!std::isfinite(made.rounded.error)) {
                    continue;  // it may leave the range, without a bound
                }
                ++checked;
                rounded += made.rounded.error > 0 ? 1 : 0;
                if (!holds(made.computed, made.exact, made.rounded.error) ||
                    (std::isfinite(made.rounded.any_order()) &&
                     !holds(made.computed, made.exact, made.rounded.any_order())) ||
                    std::fabs(static_cast<long double>(made.rounded.value) - made.exact) >
                        static_cast<long double>(made.rounded.error)) {
                    FAIL(program << "gives " << made.computed << ", exactly " << static_cast<double>(made.exact)
                                 << ", bounds " << made.rounded.error << " and " << made.rounded.any_order());
                }
                numbers.push_back(made);
            }
        }
        CHECK(checked > 50000);
        CHECK(rounded > 10000);
    }
}

TEST_CASE("rounded: the rounding of one operation is bounded by little more than half a unit in the last place") {
    std::mt19937_64 random(2);
    for (int run = 0; run < 10000; ++run) {
        const Three a = given(drawn(random, -20, 20)), b = given(drawn(random, -20, 20));
        for (const unsigned which : {0U, 1U, 2U, 3U}) {
            const Three made = applied(which, a, b);
            REQUIRE(holds(made.computed, made.exact, made.rounded.error));
            REQUIRE(made.rounded.error <= 1.001 * kUnit * std::abs(made.rounded.value));
        }
    }
}

TEST_CASE("rounded: exact operations add no error") {
    std::mt19937_64 random(5);
    const Number zero = 0;
    for (int run = 0; run < 1000; ++run) {
        const Number x = exact(drawn(random, -60, 60));
        const float power = std::ldexp(1.0F, static_cast<int>(random() % 40) - 20);
        for (const Number& same : {x + zero, zero + x, -(-x), x - zero, x * Number(1), x / Number(1)}) {
            REQUIRE(same.value == x.value);
            REQUIRE(same.error == 0);
            REQUIRE(same.any_order() == 0);
            REQUIRE(same.variance == 0);
        }
        for (const Number& scaled : {x * Number(power), Number(power) * x, x / Number(power), x * Number(-power)}) {
            REQUIRE(scaled.error == 0);
            REQUIRE(scaled.any_order() == 0);
            REQUIRE(scaled.variance == 0);
        }
        REQUIRE((x * zero).error == 0);
        REQUIRE((zero / x).error == 0);
        // Only the existing error is propagated and scaled.
        const Number rounded = x * exact(1.1F);
        REQUIRE(rounded.error > 0);
        REQUIRE((rounded + zero).error == rounded.error);
        REQUIRE((-rounded).error == rounded.error);
        REQUIRE((rounded * Number(power)).error == rounded.error * static_cast<double>(power));
        REQUIRE((rounded * Number(power)).any_order() == rounded.any_order() * static_cast<double>(power));
    }
    CHECK(sqrt(zero).value == 0);
    CHECK(sqrt(zero).error == 0);
    CHECK(sqrt(zero).variance == 0);
    CHECK(tanh(zero).error == 0);
    CHECK(log(Number(1)).error == 0);
}

TEST_CASE("rounded: constants have their representation error in float") {
    CHECK(Number(1).error == 0);
    CHECK(Number(0.5).error == 0);
    CHECK(Number(16777216).error == 0);
    CHECK(Number(std::size_t{16777217}).error == 1);
    CHECK(Number(std::size_t{16777217}).value == 16777217);
    CHECK(Number(0.1).error == std::abs(0.1 - static_cast<double>(0.1F)));
    CHECK(Number(0.1).any_order() == Number(0.1).error);
    CHECK(Number(0.1).variance == Number(0.1).error * Number(0.1).error);
    CHECK(is_infinite(Number(1) * Number(1e300)));
    // The error of a constant is propagated.
    CHECK((exact(3) * Number(0.1)).error >= 3 * Number(0.1).error);
}

TEST_CASE("rounded: the bounds for double are 2⁻²⁹ of those for float") {
    std::mt19937_64 random(7);
    for (int run = 0; run < 2000; ++run) {
        double sum = 0;
        Number rounded = 0;
        long double exactly = 0;
        for (int i = 0; i < 101; ++i) {
            const auto x = static_cast<double>(drawn(random, -3, 3)), y = 1 / static_cast<double>(drawn(random, -3, 3));
            sum += x * y;
            Number a, b;
            a.value = x;
            b.value = y;
            rounded += a * b;
            exactly += static_cast<long double>(x) * static_cast<long double>(y);
        }
        const long double error = std::fabs(static_cast<long double>(sum) - exactly);
        REQUIRE(error <= static_cast<long double>(rounded.error) * 0x1p-29L * 1.01L);
        REQUIRE(rounded.error * 0x1p-29 < 1e-11);
    }
}

// The error of a mean in another order is that of its sum, over n; roots and logarithms scale it by their derivatives.
TEST_CASE("rounded: a scaled sum still rounds differently in another order") {
    constexpr int kTerms = 1001;
    Rounded sum;
    for (int i = 0; i < kTerms; ++i) {
        sum += Rounded(i % 3 == 0 ? 0.1F : 0.7F);
    }
    for (const double alike : {1.0, 7.0, 1e6}) {
        const double deviation = sum.deviation_in_any_order(alike);
        CHECK(deviation > 10 * std::sqrt((sum / Rounded(kTerms)).variance));
        const auto is_near = [&](const Rounded& made, double slope) {
            return std::abs(made.deviation_in_any_order(alike) / (deviation * slope) - 1) < 0.05;
        };
        CHECK(is_near(sum / Rounded(kTerms), 1.0 / kTerms));
        CHECK(is_near(sum * Rounded(-3), 3));
        CHECK(is_near(Rounded(2) * (sum + Rounded(1)) / Rounded(kTerms), 2.0 / kTerms));
        CHECK(is_near(sqrt(sum), 0.5 / std::sqrt(sum.value)));
        CHECK(is_near(log(sum), 1 / sum.value));
        CHECK(is_near(sum / Rounded(7) + sum / Rounded(7), std::sqrt(2) / 7));
    }
}
