#include "bench/machine.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "manual/simd/peak.h"
#include "manual/targets.h"

using namespace byhand;

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
