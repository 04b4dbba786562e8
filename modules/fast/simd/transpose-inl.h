// The transpose of a matrix, a strip of columns at a time. Included once for each vector type (see
// hwy/foreach_target.h).
#if defined(BYHAND_SIMD_TRANSPOSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BYHAND_SIMD_TRANSPOSE_INL_H
#undef BYHAND_SIMD_TRANSPOSE_INL_H
#else
#define BYHAND_SIMD_TRANSPOSE_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include "fast/simd/product.h"
#include "fast/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {

// column[j](i) = from(i, j) for as many rows as a vector has lanes, zero from row `rows` on.
#if HWY_TARGET == HWY_SCALAR
constexpr std::size_t kColumns = 1;

HWY_INLINE void load_columns(V (&column)[kColumns], const float* from, std::size_t, std::size_t rows) {
    column[0] = rows > 0 ? hn::Load(D(), from) : hn::Zero(D());
}
#else
constexpr std::size_t kColumns = std::min<std::size_t>(hn::MaxLanes(D()), 8);
constexpr std::size_t kBlocks = kColumns / 4;  // of four columns

// Vectors of blocks of four lanes, each alternately of one column and of another: one column each.
HWY_INLINE void part_columns([[maybe_unused]] V (&v)[kBlocks]) {
#if HWY_MAX_BYTES == 64
    constexpr int kEven = 0x88, kOdd = 0xdd;  // blocks of the first and of the second
    const auto even = _mm512_shuffle_f32x4(v[0].raw, v[1].raw, kEven);
    v[1] = V{_mm512_shuffle_f32x4(v[0].raw, v[1].raw, kOdd)};
    v[0] = V{even};
#elif HWY_MAX_BYTES == 32
    const V even = hn::ConcatLowerLower(D(), v[1], v[0]);
    v[1] = hn::ConcatUpperUpper(D(), v[1], v[0]);
    v[0] = even;
#endif
}

HWY_INLINE void load_columns(V (&column)[kColumns], const float* from, std::size_t from_row, std::size_t rows) {
    const D d;
    const hn::Repartition<double, D> pairs;
    const auto load = [=](auto of, std::size_t i)
                          HWY_ATTR { return i < rows ? hn::Load(of, from + i * from_row) : hn::Zero(of); };
    // kColumns numbers of row i, and, if a vector has room for them, of row i + 4.
    const auto row = [=](std::size_t i) HWY_ATTR {
#if HWY_MAX_BYTES == 64
        return hn::Combine(d, load(HalfD(), i + 4), load(HalfD(), i));
#else
        return load(d, i);
#endif
    };
    V v[4][kBlocks];  // [j][b]: columns j and 4 + j of the rows from b·(lanes / kBlocks) on, in blocks of four rows
    for (std::size_t b = 0; b < kBlocks; ++b) {
        const std::size_t i = b * (hn::MaxLanes(d) / kBlocks);
        const V r0 = row(i), r1 = row(i + 1), r2 = row(i + 2), r3 = row(i + 3);
        const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1));
        const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1));
        const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
        const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
        v[0][b] = hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23));
        v[1][b] = hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23));
        v[2][b] = hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23));
        v[3][b] = hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23));
    }
    for (std::size_t j = 0; j < 4; ++j) {
        part_columns(v[j]);
        for (std::size_t b = 0; b < kBlocks; ++b) {
            column[4 * b + j] = v[j][b];
        }
    }
}
#endif

// of(column, its place) for j < columns.
template <class Of>
HWY_INLINE void transpose_strip(float* to, std::size_t to_row, const float* from, std::size_t from_row,
                                std::size_t rows, std::size_t columns, Of of) {
    V column[kColumns];
    load_columns(column, from, from_row, rows);
    for (std::size_t j = 0; j < kColumns; ++j) {
        if (j < columns) {
            of(column[j], to + j * to_row);
        }
    }
}

// of(vector, its place) for each of the transpose.
template <class Of>
HWY_INLINE void for_each_transposed(const Transposed& to, const float* from, std::size_t from_row, std::size_t rows,
                                    Of of) {
    constexpr std::size_t N = hn::MaxLanes(D());
    for (std::size_t i = 0; i < to.width; i += N) {
        for (std::size_t j = 0; j < to.rows; j += kColumns) {
            float* const strip = to.data + j * to.row + i;
            const float* const numbers = from + i * from_row + j;
            if (i + N <= rows) {  // as a constant: no row is tested
                transpose_strip(strip, to.row, numbers, from_row, N, to.rows - j, of);
            } else {
                transpose_strip(strip, to.row, numbers, from_row, rows - std::min(rows, i), to.rows - j, of);
            }
        }
    }
}

inline void transpose(const Transposed& to, const float* from, std::size_t from_row, std::size_t rows) {
    for_each_transposed(to, from, from_row, rows, [](V one, float* at) HWY_ATTR { hn::Store(one, D(), at); });
}

}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
