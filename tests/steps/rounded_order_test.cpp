// Rounded: the bound for sums in any order holds for float results in other orders.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstddef>
#include <random>
#include <vector>

#include "steps/rounded_numbers.h"
#include "steps/rounded_sums.h"

using namespace byhand;
using namespace byhand::test;

TEST_CASE("rounded: any_order holds for sums in every order, in pairs, in lanes, and with fma") {
    std::mt19937_64 random(3);
    for (const std::size_t count : {1UL, 3UL, 31UL, 257UL, 1001UL}) {
        for (const bool cancelling : {false, true}) {
            for (int run = 0; run < 200; ++run) {
                INFO(count << (cancelling ? " cancelling" : "") << " terms");
                Terms t = terms(random, count, -6, 6, cancelling);
                const Number sum = t.rounded();
                const long double exactly = t.exactly();
                REQUIRE(holds(t.in_order(), exactly, sum.error));
                const double bound = sum.any_order();
                REQUIRE(bound >= sum.error * (1 - 1e-9));
                REQUIRE(holds(t.in_order(), exactly, bound));
                REQUIRE(holds(t.with_fma(), exactly, bound));
                REQUIRE(holds(t.in_pairs(0, count), exactly, bound));
                REQUIRE(holds(t.in_lanes(8), exactly, bound));
                // In another order; small to large is accurate, large to small inaccurate.
                std::vector<std::size_t> order(count);
                for (std::size_t i = 0; i < count; ++i) {
                    order[i] = i;
                }
                std::ranges::shuffle(order, random);
                Terms other;
                for (const std::size_t i : order) {
                    other.x.push_back(t.x[i]);
                    other.y.push_back(t.y[i]);
                }
                REQUIRE(holds(other.in_order(), exactly, bound));
            }
        }
    }
}

TEST_CASE("rounded: any_order holds for worst-case roundings") {
    // 1, followed by many terms slightly larger than half the distance from 1 to the next float: each addition rounds
    // up by nearly half of it. In the other order nothing is lost.
    const float little = 0x1p-24F * (1 + 0x1p-10F);
    for (const int count : {1, 7, 1000, 100000}) {
        INFO(count);
        float sum = 1;
        Number rounded = 1;
        for (int i = 0; i < count; ++i) {
            sum += little;
            rounded += exact(little);
        }
        const long double exactly = 1 + static_cast<long double>(count) * static_cast<long double>(little);
        CHECK(holds(sum, exactly, rounded.error));
        CHECK(holds(sum, exactly, rounded.any_order()));
        CHECK(static_cast<double>(std::fabs(static_cast<long double>(sum) - exactly)) > 0.5 * kUnit * count);

        // Summed in reverse, an accurate order itself, any_order must still cover this one.
        Number backwards = 0;
        for (int i = 0; i < count; ++i) {
            backwards += exact(little);
        }
        backwards += 1;
        CHECK(holds(sum, exactly, backwards.any_order()));
    }
    // Where errors of errors matter: (1 + u)^k − 1 is larger than k·u.
    Number rounded = 1;
    for (int i = 0; i < 1'000'000; ++i) {
        rounded += exact(0x1p-100F);
    }
    CHECK(rounded.error > 1'000'000 * kUnit);
    CHECK(rounded.any_order() >= rounded.error);
}

TEST_CASE("rounded: a scaled sum that continues keeps its any_order bound") {
    std::mt19937_64 random(4);
    for (int run = 0; run < 300; ++run) {
        const Terms a = terms(random, 101, -6, 6, run % 2 == 0), b = terms(random, 33, -6, 6, false);
        const float scale = run % 3 == 0 ? 2 : drawn(random, -3, 3);
        Number sum = a.rounded() * exact(scale);
        for (std::size_t i = 0; i < b.x.size(); ++i) {
            sum += exact(b.x[i]) * exact(b.y[i]);
        }
        const long double exactly = a.exactly() * static_cast<long double>(scale) + b.exactly();
        REQUIRE(holds(a.in_pairs(0, 101) * scale + b.in_pairs(0, 33), exactly, sum.any_order()));
        REQUIRE(holds(a.in_lanes(4) * scale + b.with_fma(), exactly, sum.any_order()));
        float in_order = a.in_order() * scale;
        for (std::size_t i = 0; i < b.x.size(); ++i) {
            in_order += b.x[i] * b.y[i];
        }
        REQUIRE(holds(in_order, exactly, sum.error));
        REQUIRE(holds(in_order, exactly, sum.any_order()));
    }
}

TEST_CASE("rounded: a sum that cancels to zero in this order need not in another") {
    const float a = 1.1F, b = 0x1.234568p-3F;
    const Number zero = exact(a) - exact(a);
    const Number sum = zero + exact(b);
    const float elsewhere = (a + b) - a;
    REQUIRE(elsewhere != b);
    CHECK(holds(elsewhere, static_cast<long double>(b), sum.any_order()));
    // A product with it is not exact there either.
    CHECK((exact(b) * zero).any_order() > static_cast<double>(b) * zero.any_order());
}
