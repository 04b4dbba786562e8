// Rounded: tanh, exp, expm1, log, log1p and erf have the errors, in units in the last place, that the constants
// specify.
#include <algorithm>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <random>

#include "steps/rounded_numbers.h"

using namespace byhand;
using namespace byhand::test;

namespace {

double ulp(double x) {
    const double normal = std::max(std::fabs(x), 0x1p-126);
    return std::ldexp(1.0, std::ilogb(normal) - 23);
}

}  // namespace

TEST_CASE("rounded: tanh, exp, expm1, log, log1p and erf add the specified units in the last place") {
    std::mt19937_64 random(10);
    for (int run = 0; run < 1000; ++run) {
        const Number x = exact(std::abs(drawn(random, -5, 3)));
        REQUIRE(tanh(x).error >= kTanhUlp * ulp(tanh(x).value));
        REQUIRE(exp(-x).error >= kExpUlp * ulp(exp(-x).value));
        REQUIRE(expm1(-x).error >= kExpm1Ulp * ulp(expm1(-x).value));
        REQUIRE(log(x).error >= kLogUlp * ulp(log(x).value));
        REQUIRE(log1p(x).error >= kLog1pUlp * ulp(log1p(x).value));
        REQUIRE(erf(x).error >= kErfUlp * ulp(erf(x).value));
        REQUIRE(tanh(x).error <= 2.001 * kTanhUlp * ulp(tanh(x).value));
    }
}

TEST_CASE("rounded: the library's tanh, exp, expm1, log, log1p and erf in float are within the specified units") {
    struct Worst {
        double tanh = 0, exp = 0, expm1 = 0, log = 0, log1p = 0, erf = 0;
    } worst;
    const auto units = [](float computed, double exactly) {
        const bool equal = computed == static_cast<float>(exactly);
        return equal ? 0 : std::abs(static_cast<double>(computed) - exactly) / ulp(exactly);
    };
    // Every 1031st float (a prime: no bit of it is always 0), with every exponent.
    for (std::uint32_t bits = 0; bits < 0x7f800000; bits += 1031) {
        const auto x = std::bit_cast<float>(bits);
        const auto wide = static_cast<double>(x);
        worst.tanh = std::max(worst.tanh, units(std::tanh(x), std::tanh(wide)));
        worst.erf = std::max(worst.erf, units(std::erf(x), std::erf(wide)));
        worst.exp = std::max(worst.exp, units(std::exp(-x), std::exp(-wide)));
        worst.expm1 = std::max(worst.expm1, units(std::expm1(-x), std::expm1(-wide)));
        worst.log1p = std::max(worst.log1p, units(std::log1p(x), std::log1p(wide)));
        if (x < 1) {
            worst.log1p = std::max(worst.log1p, units(std::log1p(-x), std::log1p(-wide)));
        }
        if (x < 88) {
            worst.exp = std::max(worst.exp, units(std::exp(x), std::exp(wide)));
        }
        if (x > 0) {
            worst.log = std::max(worst.log, units(std::log(x), std::log(wide)));
        }
    }
    CAPTURE(worst.tanh, worst.exp, worst.expm1, worst.log, worst.log1p, worst.erf);
    CHECK(worst.tanh <= kTanhUlp);
    CHECK(worst.exp <= kExpUlp);
    CHECK(worst.expm1 <= kExpm1Ulp);
    CHECK(worst.log <= kLogUlp);
    CHECK(worst.log1p <= kLog1pUlp);
    CHECK(worst.erf <= kErfUlp);
    // glibc 2.41 rounds tanh correctly; if all were, this test would be vacuous.
    CHECK(std::max({worst.tanh, worst.exp, worst.log}) > 0.5);
}
