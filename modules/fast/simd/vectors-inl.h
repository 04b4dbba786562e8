// Vectors of float, as wide as the CPU's. Included once for each vector type (see hwy/foreach_target.h).
#if defined(BYHAND_SIMD_VECTORS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BYHAND_SIMD_VECTORS_INL_H
#undef BYHAND_SIMD_VECTORS_INL_H
#else
#define BYHAND_SIMD_VECTORS_INL_H
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// The first half of a vector. Where the second is padding, it is all that needs to be computed: in half the time on a
// CPU that executes the widest vectors in two halves, in the same time on others.
#if HWY_MAX_BYTES == 64
constexpr bool kHalves = true;
using HalfD = hn::Half<D>;

HWY_INLINE hn::Vec<HalfD> half_of(V whole) {
    return hn::LowerHalf(HalfD(), whole);
}

HWY_INLINE V with_zeros(hn::Vec<HalfD> half) {
    return hn::ZeroExtendVector(D(), half);
}
#else
constexpr bool kHalves = false;
using HalfD = D;

HWY_INLINE V half_of(V whole) {
    return whole;
}

HWY_INLINE V with_zeros(V half) {
    return half;
}
#endif

// Along one row, each operation would wait for the one before.
constexpr std::size_t kRowsAtOnce = hn::MaxLanes(D()) < 4 ? 1 : 4;

// of(i, count) for the rows from first to last: for kRowsAtOnce from i on, a constant, or for one.
template <class Of>
HWY_INLINE void for_rows(std::size_t first, std::size_t last, Of of) {
    std::size_t i = first;
    for (; i + kRowsAtOnce <= last; i += kRowsAtOnce) {
        of(i, std::integral_constant<std::size_t, kRowsAtOnce>());
    }
    for (; i < last; ++i) {
        of(i, std::integral_constant<std::size_t, 1>());
    }
}

// Covers the columns of a panel: calls of(j, vectors) for the columns from j on that fit `vectors` vectors, a constant:
// three if three divide their number, else two, or one.
template <class Of>
HWY_INLINE void for_each_column(std::size_t width, Of of) {
    const std::size_t N = hn::Lanes(D()), vectors = width / N;
    const auto cover = [&](auto together) HWY_ATTR {
        if (HWY_MAX_BYTES == 64) {
            of(0, together);  // the widest vectors cover a whole row
            return;
        }
        for (std::size_t j = 0; j < width; j += together * N) {
            of(j, together);
        }
    };
    if (vectors % 3 == 0) {
        cover(std::integral_constant<std::size_t, 3>());
    } else if (vectors % 2 == 0) {
        cover(std::integral_constant<std::size_t, 2>());
    } else {
        cover(std::integral_constant<std::size_t, 1>());
    }
}

// The same of a panel that is padded from column `used` on: of(j, vectors, half), where `half` is true if the second
// half of the last vector is padding, a constant.
template <class Of>
HWY_INLINE void for_each_used_column(std::size_t width, std::size_t used, Of of) {
    const auto cover = [&](auto half) HWY_ATTR {
        for_each_column(width, [&](std::size_t j, auto vectors) HWY_ATTR { of(j, vectors, half); });
    };
    if constexpr (kHalves) {
        if (width - used >= hn::Lanes(D()) / 2) {
            cover(std::true_type());
            return;
        }
    }
    cover(std::false_type());
}

// The width of a panel that for_each_column covers with so many vectors at a time: a constant for the widest vectors,
// which cover a whole row.
template <std::size_t kVectors>
HWY_INLINE std::size_t width_of(std::size_t width) {
    return HWY_MAX_BYTES == 64 ? kVectors * hn::Lanes(D()) : width;
}

}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
