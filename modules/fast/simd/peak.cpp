#include <hwy/nanobenchmark.h>

#include <cstdint>

#include "fast/simd/targets.h"

// As in kernels.cpp: compiled once for each vector type.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/simd/peak.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "fast/simd/vectors-inl.h"
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

template <std::size_t kReads, std::size_t kWrites>
void pass_over(float* arrays, std::size_t numbers) {
    const D d;
    const hn::RebindToUnsigned<D> bits;
    // Two for each array, so that no read waits for the one before.
    hn::Vec<decltype(bits)> read[kReads][2];
    for (auto& one : read) {
        one[0] = one[1] = hn::Zero(bits);
    }
    const V written = hn::Set(d, 0.5F);
    std::size_t i = 0;
    const auto vector = [&](std::size_t which) HWY_ATTR {
        for (std::size_t r = 0; r < kReads; ++r) {
            const V x = hn::Load(d, arrays + r * numbers + i);
            read[r][which] = hn::Or(read[r][which], hn::BitCast(bits, x));
        }
        for (std::size_t w = 0; w < kWrites; ++w) {
            hn::Store(written, d, arrays + w * numbers + i);
        }
        i += hn::Lanes(d);
    };
    while (i + 2 * hn::Lanes(d) <= numbers) {
        vector(0);
        vector(1);
    }
    if (i < numbers) {
        vector(0);
    }
    auto all = hn::Zero(bits);
    for (auto& one : read) {
        all = hn::Or(all, hn::Or(one[0], one[1]));
    }
    hn::Store(hn::BitCast(d, all), d, arrays);  // so that no read can be optimised away
}

void pass(float* arrays, std::size_t reads, std::size_t writes, std::size_t numbers) {
    const auto run = [=](auto known_reads, auto known_writes) HWY_ATTR {
        pass_over<decltype(known_reads)::value, decltype(known_writes)::value>(arrays, numbers);
    };
    const auto reading = [=](auto known_reads) HWY_ATTR {
        if (writes == 0) {
            run(known_reads, std::integral_constant<std::size_t, 0>());
        } else if (writes == 1) {
            run(known_reads, std::integral_constant<std::size_t, 1>());
        } else {
            run(known_reads, std::integral_constant<std::size_t, 2>());
        }
    };
    if (reads == 1) {
        reading(std::integral_constant<std::size_t, 1>());
    } else {
        reading(std::integral_constant<std::size_t, 2>());
    }
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
HWY_EXPORT(pass);
HWY_EXPORT(target_name);

}  // namespace

MultiplyAdds multiply_adds(std::size_t repeats) {
    return HWY_DYNAMIC_DISPATCH(multiply_adds)(repeats);
}

void pass(float* arrays, std::size_t reads, std::size_t writes, std::size_t numbers) {
    HWY_DYNAMIC_DISPATCH(pass)(arrays, reads, writes, numbers);
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
