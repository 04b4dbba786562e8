#include <algorithm>

#include "fast/simd/kernels.h"

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/simd/by_character.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "fast/simd/vectors-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

// rows added in sequence: longer sums have larger rounding errors
constexpr std::size_t kTerms = 256;

// The row of a table for position t of a context.
HWY_INLINE std::size_t row_of(const Contexts& c, std::size_t i, std::size_t t, std::size_t width) {
    return (t * c.V + static_cast<std::size_t>(c.X[i * c.T + t])) * width;
}

void look_up_by_character(float* y, const float* table, const Contexts& contexts, const float* b, std::size_t width) {
    const D d;
    const Contexts c = contexts;
    for_each_column(width, [=](std::size_t j, auto vectors) HWY_ATTR {
        constexpr std::size_t kVectors = decltype(vectors)::value;
        const std::size_t N = hn::Lanes(d), row = width_of<kVectors>(width);
        float* out = y + j;
        for (std::size_t i = 0; i < c.n; ++i, out += row) {
            V sum[kVectors];
            for (std::size_t v = 0; v < kVectors; ++v) {
                sum[v] = hn::Load(d, table + row_of(c, i, 0, row) + j + v * N);
            }
            for (std::size_t t = 1; t < c.T; ++t) {
                for (std::size_t v = 0; v < kVectors; ++v) {
                    sum[v] = hn::Add(sum[v], hn::Load(d, table + row_of(c, i, t, row) + j + v * N));
                }
            }
            // Added to the finished sum, as in a product.
            for (std::size_t v = 0; v < kVectors; ++v) {
                hn::Store(b != nullptr ? hn::Add(sum[v], hn::Load(d, b + j + v * N)) : sum[v], d, out + v * N);
            }
        }
    });
}

void sum_by_character(float* sums, float* scratch, const float* dy, const Contexts& contexts, std::size_t width) {
    const D d;
    const Contexts c = contexts;
    const std::size_t size = c.T * c.V * width, N = hn::Lanes(d);
    for (std::size_t first = 0; first < c.n; first += kTerms) {
        float* const some = first == 0 ? sums : scratch;
        std::fill_n(some, size, 0.0F);
        for_each_column(width, [=](std::size_t j, auto vectors) HWY_ATTR {
            constexpr std::size_t kVectors = decltype(vectors)::value;
            const std::size_t row = width_of<kVectors>(width);
            for (std::size_t i = first; i < std::min(first + kTerms, c.n); ++i) {
                V term[kVectors];
                for (std::size_t v = 0; v < kVectors; ++v) {
                    term[v] = hn::Load(d, dy + i * row + j + v * N);
                }
                for (std::size_t t = 0; t < c.T; ++t) {
                    float* const to = some + row_of(c, i, t, row) + j;
                    for (std::size_t v = 0; v < kVectors; ++v) {
                        hn::Store(hn::Add(hn::Load(d, to + v * N), term[v]), d, to + v * N);
                    }
                }
            }
        });
        for (std::size_t k = 0; some != sums && k < size; k += N) {
            hn::Store(hn::Add(hn::Load(d, sums + k), hn::Load(d, some + k)), d, sums + k);
        }
    }
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(look_up_by_character);
HWY_EXPORT(sum_by_character);

}  // namespace

void look_up_by_character(float* y, const float* table, const Contexts& contexts, const float* b, std::size_t width) {
    HWY_DYNAMIC_DISPATCH(look_up_by_character)(y, table, contexts, b, width);
}

void sum_by_character(float* sums, float* scratch, const float* dy, const Contexts& contexts, std::size_t width) {
    HWY_DYNAMIC_DISPATCH(sum_by_character)(sums, scratch, dy, contexts, width);
}

}  // namespace byhand::simd
#endif
