// A tile of a matrix product: sums in registers, their terms, and where they are stored. Included once for each vector
// type (see hwy/foreach_target.h).
#if defined(BYHAND_SIMD_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BYHAND_SIMD_TILE_INL_H
#undef BYHAND_SIMD_TILE_INL_H
#else
#define BYHAND_SIMD_TILE_INL_H
#endif

#include <hwy/cache_control.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <type_traits>

#include "fast/panels.h"
#include "fast/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {

// A tile is some rows by up to three vectors: so many rows that each sum is ready before its next term, but so few that
// its stores, all at its end, fit into the CPU's queue, where they would delay the next tile.
constexpr bool kManyRegisters = HWY_MAX_BYTES == 64 || !HWY_ARCH_X86;  // 32, not 16
constexpr std::size_t rows_of_tile(std::size_t vectors) {
    return vectors == 3 ? 4 : kManyRegisters ? 16 / vectors : 12 / vectors;
}
// By three vectors, where each tile has to read its columns of b from L2.
constexpr std::size_t kTallTile = 8;

// The last tile may have more rows, if the sums fit into the registers beside the vectors of b and one of a; but two
// tiles of six rows by two vectors are faster than one of twelve.
constexpr std::size_t rows_of_last_tile(std::size_t vectors) {
    return std::min({2 * rows_of_tile(vectors) - 1, (kManyRegisters ? 23 : 12) / vectors, std::size_t{16}});
}

// Adjacent terms of a sum, from k = 0 to depth: a(i, k) at a[i·a_row + k], or a(k, i) at a[k·a_row + i] in aᵀ·b; b(k,
// j) at b[k·width + j].
struct Piece {
    const float* a;
    std::size_t a_row;
    const float* b;
    std::size_t depth;
};

// With at least so many terms, prefetching weights for their update saves more time than it costs.
constexpr std::size_t kManyTerms = 64;
// More rows of b don't stay in L1.
constexpr std::size_t kTermsInL1 = 3 * kWidestPanel;

// of(rows), a constant: the rows of all tiles but the last. Fewer if few terms leave little time for the stores of
// aᵀ·b.
template <std::size_t kVectors, class Of>
HWY_INLINE void for_rows_of_tile(bool transposed, std::size_t terms, Of of) {
    if (kManyRegisters && kVectors == 3 && terms > kTermsInL1) {
        of(std::integral_constant<std::size_t, kTallTile>());
    } else if (kVectors == 2 && transposed && terms < kManyTerms) {
        of(std::integral_constant<std::size_t, 6>());
    } else {
        of(std::integral_constant<std::size_t, rows_of_tile(kVectors)>());
    }
}

// visit(sum, row, vector) for each of a tile. Unrolled, so that the sums stay in registers.
template <std::size_t kHeight, std::size_t kVectors, class Visit>
HWY_INLINE void for_each_sum(V (&total)[kHeight][kVectors], Visit visit) {
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kHeight; ++r) {
        HWY_UNROLL(3)
        for (std::size_t v = 0; v < kVectors; ++v) {
            visit(total[r][v], r, v);
        }
    }
}

// Memory that is needed soon and may be far away: a part of it is prefetched at each term.
struct Ahead {
    const float* at;
    std::size_t step;  // from one term to the next
};

// The last vector of each row as half of it.
template <std::size_t kHeight, std::size_t kVectors>
HWY_INLINE void to_halves(hn::Vec<HalfD> (&last)[kHeight], const V (&total)[kHeight][kVectors]) {
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kHeight; ++r) {
        last[r] = half_of(total[r][kVectors - 1]);
    }
}

template <std::size_t kHeight, std::size_t kVectors>
HWY_INLINE void from_halves(V (&total)[kHeight][kVectors], const hn::Vec<HalfD> (&last)[kHeight]) {
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kHeight; ++r) {
        total[r][kVectors - 1] = with_zeros(last[r]);
    }
}

// total[r, v] += Σ_k a(i + r, k)·b(k, j + v), with p.a at row i and p.b at column j. kHalf: the second half of the last
// vector is padding, and is cleared.
template <bool kTransposed, bool kHalf, std::size_t kHeight, std::size_t kVectors, std::size_t kAhead>
HWY_INLINE void add_terms(V (&total)[kHeight][kVectors], const Piece& p, std::size_t width,
                          std::array<Ahead, kAhead> ahead) {
    const D d;
    constexpr std::size_t kWhole = kHalf ? kVectors - 1 : kVectors;
    // An address can be a pointer, plus a_row once or twice: without more pointers than one in three rows, the offsets
    // of the rows would not fit into the registers.
    constexpr std::size_t kRowsOfPointer = kTransposed ? kHeight : 3;
    constexpr std::size_t kPointers = (kHeight + kRowsOfPointer - 1) / kRowsOfPointer;
    const std::size_t to_next_row = kTransposed ? 1 : p.a_row, to_next_term = kTransposed ? p.a_row : 1;
    const float* a[kPointers];
    for (std::size_t i = 0; i < kPointers; ++i) {
        a[i] = p.a + i * kRowsOfPointer * to_next_row;
    }
    hn::Vec<HalfD> last[kHeight];  // if kHalf
    to_halves(last, total);
    const float* const end = p.b + p.depth * width;
    for (const float* b = p.b; b != end; b += width) {
        V row[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) {
            row[v] = hn::Load(d, b + v * hn::Lanes(d));
        }
        for (std::size_t r = 0; r < kHeight; ++r) {
            const float number = a[r / kRowsOfPointer][r % kRowsOfPointer * to_next_row];
            const V x = hn::Set(d, number);
            for (std::size_t v = 0; v < kWhole; ++v) {
                total[r][v] = hn::MulAdd(x, row[v], total[r][v]);
            }
            if constexpr (kHalf) {
                const hn::Vec<HalfD> half = kWhole == 0 ? hn::Set(HalfD(), number) : half_of(x);
                last[r] = hn::MulAdd(half, half_of(row[kWhole]), last[r]);
            }
        }
        for (const float*& pointer : a) {
            pointer += to_next_term;
        }
        for (Ahead& one : ahead) {
            hwy::Prefetch(one.at);
            one.at += one.step;
        }
    }
    if constexpr (kHalf) {
        from_halves(total, last);
    }
}

template <std::size_t kHeight, std::size_t kVectors>
HWY_INLINE void clear(V (&total)[kHeight][kVectors]) {
    for_each_sum(total, [](V& one, std::size_t, std::size_t) HWY_ATTR { one = hn::Zero(D()); });
}

// of(sum, its place in c) for each of a tile. Row by row: otherwise the compiler computes the places of all rows first.
template <std::size_t kHeight, std::size_t kVectors, class C, class Of>
HWY_INLINE void for_each_place(V (&total)[kHeight][kVectors], C* c, std::size_t c_row, Of of) {
    HWY_UNROLL(16)
    for (std::size_t r = 0; r < kHeight; ++r) {
        HWY_UNROLL(3)
        for (std::size_t v = 0; v < kVectors; ++v) {
            of(total[r][v], c + v * hn::Lanes(D()));
        }
        c += c_row;
    }
}

template <std::size_t kHeight, std::size_t kVectors>
HWY_INLINE void add(V (&total)[kHeight][kVectors], const float* c, std::size_t c_row) {
    for_each_place(total, c, c_row, [](V& one, const float* at) HWY_ATTR { one = hn::Add(hn::Load(D(), at), one); });
}

template <std::size_t kHeight, std::size_t kVectors>
HWY_INLINE void store(float* c, std::size_t c_row, V (&total)[kHeight][kVectors]) {
    for_each_place(total, c, c_row, [](V& one, float* at) HWY_ATTR { hn::Store(one, D(), at); });
}

// Keeps a variable in memory, which a loop does not need while it needs all registers. Left alone, the compiler moves
// it to a vector register, and from there it is only available after the sums of the loop.
template <class T>
HWY_INLINE void keep_in_memory(T& variable) {
    asm("" : "+m"(variable));
}

}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
