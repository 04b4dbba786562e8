// The transpose of a matrix, a square of a vector's lanes at a time. Included once for each vector type (see
// hwy/foreach_target.h).
#if defined(BYHAND_SIMD_TRANSPOSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BYHAND_SIMD_TRANSPOSE_INL_H
#undef BYHAND_SIMD_TRANSPOSE_INL_H
#else
#define BYHAND_SIMD_TRANSPOSE_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <utility>

#include "manual/simd/product.h"
#include "manual/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {

// A square of as many rows and columns as a vector has lanes: to(j, i) = from(i, j), zero from row `rows` on; stored
// for j < columns.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void transpose_square(float* to, std::size_t, const float* from, std::size_t, std::size_t rows,
                                 std::size_t) {
    *to = rows > 0 ? *from : 0;
}
#else
constexpr std::size_t kBlocks = hn::MaxLanes(D()) / 4;  // of four lanes

// The transpose of a square of blocks.
#if HWY_MAX_BYTES == 64
HWY_INLINE void transpose_blocks(V& v0, V& v1, V& v2, V& v3) {
    constexpr int kLow = 0x44, kHigh = 0xee, kEven = 0x88, kOdd = 0xdd;  // blocks of the first and of the second
    const auto low01 = _mm512_shuffle_f32x4(v0.raw, v1.raw, kLow), low23 = _mm512_shuffle_f32x4(v2.raw, v3.raw, kLow);
    const auto high01 = _mm512_shuffle_f32x4(v0.raw, v1.raw, kHigh);
    const auto high23 = _mm512_shuffle_f32x4(v2.raw, v3.raw, kHigh);
    v0 = V{_mm512_shuffle_f32x4(low01, low23, kEven)};
    v1 = V{_mm512_shuffle_f32x4(low01, low23, kOdd)};
    v2 = V{_mm512_shuffle_f32x4(high01, high23, kEven)};
    v3 = V{_mm512_shuffle_f32x4(high01, high23, kOdd)};
}
#elif HWY_MAX_BYTES == 32
HWY_INLINE void transpose_blocks(V& v0, V& v1) {
    const V low = hn::ConcatLowerLower(D(), v1, v0);
    v1 = hn::ConcatUpperUpper(D(), v1, v0);
    v0 = low;
}
#else
HWY_INLINE void transpose_blocks(V&) {}
#endif

template <std::size_t... kBlock>
HWY_INLINE void transpose_square(float* to, std::size_t to_row, const float* from, std::size_t from_row,
                                 std::size_t rows, std::size_t columns, std::index_sequence<kBlock...>) {
    const D d;
    const hn::Repartition<double, D> pairs;
    const auto row = [=](std::size_t i) HWY_ATTR { return i < rows ? hn::Load(d, from + i * from_row) : hn::Zero(d); };
    V v[4][kBlocks];  // [j][b]: columns j, 4 + j, … of the rows from 4·b on, a block each
    for (std::size_t b = 0; b < kBlocks; ++b) {
        const V r0 = row(4 * b), r1 = row(4 * b + 1), r2 = row(4 * b + 2), r3 = row(4 * b + 3);
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
        transpose_blocks(v[j][kBlock]...);
        ((4 * kBlock + j < columns ? hn::Store(v[j][kBlock], d, to + (4 * kBlock + j) * to_row) : void()), ...);
    }
}

HWY_INLINE void transpose_square(float* to, std::size_t to_row, const float* from, std::size_t from_row,
                                 std::size_t rows, std::size_t columns) {
    constexpr std::size_t N = hn::MaxLanes(D());
    if (rows >= N && columns >= N) {  // known when compiled
        transpose_square(to, to_row, from, from_row, N, N, std::make_index_sequence<kBlocks>());
    } else {
        transpose_square(to, to_row, from, from_row, rows, columns, std::make_index_sequence<kBlocks>());
    }
}
#endif

inline void transpose(const Transposed& to, const float* from, std::size_t from_row, std::size_t rows) {
    constexpr std::size_t N = hn::MaxLanes(D());
    for (std::size_t i = 0; i < to.width; i += N) {
        for (std::size_t j = 0; j < to.rows; j += N) {
            transpose_square(to.data + j * to.row + i, to.row, from + i * from_row + j, from_row,
                             rows - std::min(rows, i), to.rows - j);
        }
    }
}

}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
