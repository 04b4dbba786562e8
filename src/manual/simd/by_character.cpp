#include "manual/simd/by_character.h"

#include <algorithm>

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manual/simd/by_character.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "manual/simd/vectors-inl.h"
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
    for (std::size_t i = 0; i < c.n; ++i, y += width) {
        for (std::size_t j = 0; j < width; j += hn::Lanes(d)) {
            V sum = hn::Load(d, table + row_of(c, i, 0, width) + j);
            for (std::size_t t = 1; t < c.T; ++t) {
                sum = hn::Add(sum, hn::Load(d, table + row_of(c, i, t, width) + j));
            }
            // Added to the finished sum, as in a product.
            hn::Store(b != nullptr ? hn::Add(sum, hn::Load(d, b + j)) : sum, d, y + j);
        }
    }
}

void sum_by_character(float* sums, float* scratch, const float* dy, const Contexts& contexts, std::size_t width) {
    const D d;
    const Contexts c = contexts;
    const std::size_t size = c.T * c.V * width;
    for (std::size_t first = 0; first < c.n; first += kTerms) {
        float* const some = first == 0 ? sums : scratch;
        std::fill_n(some, size, 0.0F);
        for (std::size_t i = first; i < std::min(first + kTerms, c.n); ++i, dy += width) {
            for (std::size_t t = 0; t < c.T; ++t) {
                float* const to = some + row_of(c, i, t, width);
                for (std::size_t j = 0; j < width; j += hn::Lanes(d)) {
                    hn::Store(hn::Add(hn::Load(d, to + j), hn::Load(d, dy + j)), d, to + j);
                }
            }
        }
        for (std::size_t k = 0; some != sums && k < size; k += hn::Lanes(d)) {
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
