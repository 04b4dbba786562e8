#include "bench/machine.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

#include "base/tensors.h"
#include "bench/budget.h"
#include "fast/simd/targets.h"
#include "fast/tests/targets.h"

using namespace byhand;
using Catch::Matchers::WithinAbs;

TEST_CASE("peak: multiply-adds are counted as carried out, and converge as their formula predicts") {
    targets::for_each([] {
        const simd::MultiplyAdds once = simd::multiply_adds(1), twice = simd::multiply_adds(2);
        CHECK(once.flop > 0);
        CHECK(twice.flop == 2 * once.flop);
        // s ← s/2 + 3/4 converges to 3/2, in each of twelve sums of one vector: flop = 2·256·12·lanes.
        const double lanes = once.flop / (2 * 256 * 12);
        CHECK(lanes == std::round(lanes));
        CHECK(once.result == 1.5 * 12 * lanes);
        CHECK(simd::target_name() == hwy::TargetName(hwy::SupportedTargets()));
    });
}

TEST_CASE("machine: has a name, a vector type and a peak") {
    CHECK_FALSE(bench::cpu_name().empty());
    CHECK_FALSE(simd::target_name().empty());
    CHECK(bench::peak_gflops(1) > 0);
    CHECK(bench::peak_gflops(3) > 0);
}

TEST_CASE("peak: a pass writes all of the requested arrays and no others") {
    targets::for_each([] {
        for (const std::size_t writes : {1, 2}) {
            constexpr std::size_t kNumbers = 48;
            AlignedVector<float> arrays(3 * kNumbers, 7.0F);
            simd::pass(arrays.data(), 2, writes, kNumbers);
            const auto end = arrays.begin() + static_cast<std::ptrdiff_t>(writes * kNumbers);
            CHECK(std::count(arrays.begin() + 16, end, 7.0F) == 0);  // the first vector is what was read
            CHECK(std::count(end, arrays.end(), 7.0F) == arrays.end() - end);
        }
    });
}

TEST_CASE(
    "limit: that of a product is its FLOP at the peak, and of another operation a pass over its arrays if longer") {
    bench::Machine machine;
    machine.peak_gflops = 10;
    const bench::Work product{.flops = 210};
    CHECK(bench::pass_seconds(product, 2) == 0);
    CHECK_THAT(bench::limit_of(product, 0, machine), WithinAbs(210 / 10e9, 1e-15));
    const bench::Work tanh{.flops = 672, .numbers = 48, .reads = 1, .writes = 1};
    CHECK_THAT(bench::limit_of(tanh, 1e-9, machine), WithinAbs(672 / 10e9, 1e-15));
    CHECK(bench::limit_of(tanh, 1e-6, machine) == 1e-6);
    CHECK(bench::pass_seconds(tanh, 2) > 0);
}
