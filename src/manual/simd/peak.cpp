#include "manual/simd/peak.h"

#include <hwy/nanobenchmark.h>

#include <cstdint>

// As in kernels.cpp: compiled once for each vector type.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manual/simd/peak.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "manual/simd/vectors-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

// Twelve sums: a multiply-add has a latency of four to six cycles, and two start in each cycle.
constexpr std::size_t kSums = 12;
constexpr std::size_t kTimes = 256;

MultiplyAdds multiply_adds(std::size_t repeats) {
    const D d;
    V s0 = hn::Set(d, 0.0F), s1 = hn::Set(d, 0.1F), s2 = hn::Set(d, 0.2F), s3 = hn::Set(d, 0.3F);
    V s4 = hn::Set(d, 0.4F), s5 = hn::Set(d, 0.5F), s6 = hn::Set(d, 0.6F), s7 = hn::Set(d, 0.7F);
    V s8 = hn::Set(d, 0.8F), s9 = hn::Set(d, 0.9F), s10 = hn::Set(d, 1.0F), s11 = hn::Set(d, 1.1F);
    const V a = hn::Set(d, 0.5F), b = hn::Set(d, 0.75F);  // each sum converges to 1.5: normal numbers throughout
    for (std::size_t i = 0; i < repeats * kTimes; ++i) {
        s0 = hn::MulAdd(s0, a, b), s1 = hn::MulAdd(s1, a, b), s2 = hn::MulAdd(s2, a, b), s3 = hn::MulAdd(s3, a, b);
        s4 = hn::MulAdd(s4, a, b), s5 = hn::MulAdd(s5, a, b), s6 = hn::MulAdd(s6, a, b), s7 = hn::MulAdd(s7, a, b);
        s8 = hn::MulAdd(s8, a, b), s9 = hn::MulAdd(s9, a, b), s10 = hn::MulAdd(s10, a, b), s11 = hn::MulAdd(s11, a, b);
    }
    const V low = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(s4, s5));
    const V high = hn::Add(hn::Add(hn::Add(s6, s7), hn::Add(s8, s9)), hn::Add(s10, s11));
    const auto blocks = static_cast<double>(repeats * kTimes);
    return {2 * blocks * static_cast<double>(kSums * hn::Lanes(d)),
            static_cast<double>(hn::GetLane(hn::SumOfLanes(d, hn::Add(low, high))))};
}

std::string target_name() {
    return hwy::TargetName(HWY_TARGET);
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
// In place of libhwy's, which measures for 7 ms when the library is loaded, for benchmarks that nothing here uses.
std::uint64_t hwy::platform::TimerResolution() {
    return 1;
}

namespace byhand::simd {
namespace {

HWY_EXPORT(multiply_adds);
HWY_EXPORT(target_name);

}  // namespace

MultiplyAdds multiply_adds(std::size_t repeats) {
    return HWY_DYNAMIC_DISPATCH(multiply_adds)(repeats);
}

std::string target_name() {
    return HWY_DYNAMIC_DISPATCH(target_name)();
}

void no_wider_than_avx2() {
#ifdef HWY_AVX2
    hwy::DisableTargets(HWY_AVX2 - 1);  // the better the target, the lower its bit
#endif
}

}  // namespace byhand::simd
#endif
