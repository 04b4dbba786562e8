#include "manual/simd/product.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manual/simd/product.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/cache_control.h>
#include "manual/simd/vectors-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

// A tile is kRows rows by three vectors, or more rows by fewer: its sums, the vectors of b and one of a fill the
// registers.
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SSE4 || HWY_TARGET == HWY_SSSE3 || HWY_TARGET == HWY_SSE2
constexpr std::size_t kRows = 4;
#else
constexpr std::size_t kRows = 8;
#endif

// Adjacent terms of a sum, from k = 0 to depth: a(i, k) at a[i·a_row + k], or a(k, i) at a[k·a_row + i] in a product
// with the transpose; b(k, j) at b[k·width + j].
struct Piece {
    const float* a;
    std::size_t a_row;
    const float* b;
    std::size_t depth;
};

// Sums are accumulated in registers before they are added to the result: this many pieces of a panel's width are 240
// terms, and longer sums have larger rounding errors.
constexpr std::size_t kPieces = 5;
constexpr std::size_t kTerms = 256;
// With at least so many terms, prefetching weights for their update saves more time than it costs.
constexpr std::size_t kManyTerms = 64;

// s = [c +] Σ over pieces, k of a(i, k)·b(k, j) [+ bias], and its use. The fields from bias on are for a·b or for aᵀ·b
// only.
struct Sum {
    const Piece* pieces = nullptr;
    std::size_t count = 0;
    std::size_t width = 0;             // of a row of b and of c
    std::size_t c_row = 0;             // from one row of c to the next
    bool onto = false;                 // c contains terms already
    const float* bias = nullptr;       // a·b: null until it is to be added
    const Descent* descent = nullptr;  // aᵀ·b: new_W = W − rate·s, at the last terms
    bool kept = true;                  // aᵀ·b: c = s is stored
};

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

// Memory that the next tile needs and that may be far away: a part of it is prefetched at each term.
template <std::size_t kStretches>
struct Ahead {
    std::array<const float*, kStretches> stretches = {};
    std::size_t step = 0;  // from one term to the next
};

// total[r, v] += Σ_k a(i + r, k)·b(k, j + v), with p.a at row i and p.b at column j.
template <bool kTransposed, std::size_t kHeight, std::size_t kVectors, std::size_t kStretches>
HWY_INLINE void add_terms(V (&total)[kHeight][kVectors], const Piece& p, std::size_t width, Ahead<kStretches> ahead) {
    const D d;
    // An address can be a pointer, plus a_row once or twice: without more pointers than one in three rows, the offsets
    // of the rows would not fit into the registers.
    constexpr std::size_t kRowsOfPointer = kTransposed ? kHeight : 3;
    constexpr std::size_t kPointers = (kHeight + kRowsOfPointer - 1) / kRowsOfPointer;
    const std::size_t to_next_row = kTransposed ? 1 : p.a_row, to_next_term = kTransposed ? p.a_row : 1;
    const float* a[kPointers];
    for (std::size_t i = 0; i < kPointers; ++i) {
        a[i] = p.a + i * kRowsOfPointer * to_next_row;
    }
    const float* const end = p.b + p.depth * width;
    for (const float* b = p.b; b != end; b += width) {
        V row[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) {
            row[v] = hn::Load(d, b + v * hn::Lanes(d));
        }
        for (std::size_t r = 0; r < kHeight; ++r) {
            const V x = hn::Set(d, a[r / kRowsOfPointer][r % kRowsOfPointer * to_next_row]);
            for (std::size_t v = 0; v < kVectors; ++v) {
                total[r][v] = hn::MulAdd(x, row[v], total[r][v]);
            }
        }
        for (const float*& pointer : a) {
            pointer += to_next_term;
        }
        for (const float*& pointer : ahead.stretches) {
            hwy::Prefetch(pointer);
            pointer += ahead.step;
        }
    }
}

// A tile of c at row i and column j. first: the first piece, moved to them.
template <bool kTransposed, std::size_t kHeight, std::size_t kVectors>
HWY_INLINE void tile(float* c, const Sum& sum, const Piece& first, std::size_t width, std::size_t i, std::size_t j) {
    const D d;
    const std::size_t N = hn::Lanes(d), c_row = kTransposed ? width : sum.c_row;
    V total[kHeight][kVectors];
    for_each_sum(total, [=](V& one, std::size_t, std::size_t) HWY_ATTR { one = hn::Zero(d); });
    if constexpr (!kTransposed) {
        // A piece has as many terms as a row of it has numbers, or nearly.
        add_terms<false>(total, first, width, Ahead<1>{{first.a + kHeight * first.a_row}, kHeight});
        for (const Piece& piece : std::span(sum.pieces, sum.count).subspan(1)) {
            const float* const a = piece.a + i * piece.a_row;
            add_terms<false>(total, {a, piece.a_row, piece.b + j, piece.depth}, width,
                             Ahead<1>{{a + kHeight * piece.a_row}, kHeight});
        }
    } else if (kHeight * kVectors == kRows * 3 && sum.descent != nullptr && first.depth >= kManyTerms) {
        const std::size_t next = (i + kHeight) * width + j;
        add_terms<true>(total, first, width,
                        Ahead<2>{{sum.descent->W + next, sum.descent->new_W + next}, kHeight * width / first.depth});
    } else {
        add_terms<true>(total, first, width, Ahead<0>{});
    }
    if (sum.onto) {
        for_each_sum(total, [=](V& one, std::size_t r, std::size_t v)
                                HWY_ATTR { one = hn::Add(hn::Load(d, c + r * c_row + v * N), one); });
    }
    // Added to the finished sum: otherwise each small term would be rounded at the magnitude of the bias.
    if (!kTransposed && sum.bias != nullptr) {
        for_each_sum(total, [=, bias = sum.bias + j](V& one, std::size_t, std::size_t v)
                                HWY_ATTR { one = hn::Add(one, hn::Load(d, bias + v * N)); });
    }
    if (kTransposed && sum.descent != nullptr) {
        const float* const W = sum.descent->W + i * width + j;
        float* const new_W = sum.descent->new_W + i * width + j;
        const V rate = hn::Set(d, sum.descent->rate);
        for_each_sum(total, [=](const V& one, std::size_t r, std::size_t v) HWY_ATTR {
            const std::size_t at = r * width + v * N;
            hn::Store(hn::Sub(hn::Load(d, W + at), hn::Mul(rate, one)), d, new_W + at);
        });
    }
    if (!kTransposed || sum.kept) {
        float* to = c;  // moved on row by row: otherwise the compiler computes all addresses first
        HWY_UNROLL(16)
        for (std::size_t r = 0; r < kHeight; ++r) {
            for (std::size_t v = 0; v < kVectors; ++v) {
                hn::Store(total[r][v], d, to + v * N);
            }
            to += c_row;
        }
    }
}

// Some rows of a product, kTall at a time, from column j on; the remaining ones are a tile of their own. c is the first
// of them.
template <bool kTransposed, std::size_t kVectors, std::size_t kTall, std::size_t... kRest>
HWY_NOINLINE void tiles(float* c, const Sum& sum, const Rows& rows, std::size_t j, std::index_sequence<kRest...>) {
    const std::size_t width = width_of<kVectors>(sum.width);
    Piece first = sum.pieces[0];
    const std::size_t a_row = kTransposed ? 1 : first.a_row, c_row = kTransposed ? width : sum.c_row;
    std::size_t i = rows.first;
    first.a += i * a_row;
    first.b += j;
    float* out = c + j;
    for (; i + kTall <= rows.last; i += kTall) {
        tile<kTransposed, kTall, kVectors>(out, sum, first, width, i, j);
        first.a += kTall * a_row;
        out += kTall * c_row;
    }
    ((rows.last - i == kRest + 1 ? tile<kTransposed, kRest + 1, kVectors>(out, sum, first, width, i, j) : void()), ...);
}

template <bool kTransposed>
void add_up(float* c, const Sum& sum, const Rows& rows) {
    for_each_column(sum.width, [&](std::size_t j, auto vectors) HWY_ATTR {
        // Fewer vectors leave room for more rows.
        constexpr std::size_t kVectors = decltype(vectors)::value;
        constexpr std::size_t kTall = kVectors == 3 ? kRows : kVectors == 2 ? kRows * 3 / 2 : kRows * 2;
        tiles<kTransposed, kVectors, kTall>(c, sum, rows, j, std::make_index_sequence<kTall - 1>());
    });
}

// Some rows of a·b + bias in panel p, of which c is the first: the sum runs over the columns of a; b(k, …) at
// b + k·p.width.
void product(float* c, const Panels& a, const float* b, const float* bias, const Rows& rows, const Panel& p) {
    Piece pieces[kPieces];  // NOLINT(cppcoreguidelines-pro-type-member-init): only `count` of them are read
    Sum sum;
    sum.pieces = pieces;
    sum.width = p.width;
    sum.c_row = p.stride();
    const std::size_t all = a.panels.size(), parts = (all + kPieces - 1) / kPieces;
    std::size_t from = 0;
    for (std::size_t part = 1; part <= parts; ++part) {
        const std::size_t to = part == parts ? all : all * part / parts;
        sum.count = to - from;
        for (Piece* piece = pieces; const Panel& panel : a.panels.subspan(from, sum.count)) {
            *piece++ = {in_panel(a.data, a.rows, panel), panel.stride(), b + panel.from * p.width, panel.used};
        }
        sum.onto = from > 0;
        sum.bias = to == all ? bias : nullptr;
        add_up<false>(c, sum, rows);
        from = to;
    }
}

void linear_forward(float* y, const Panels& x, const float* W, const float* b, const Rows& rows, const Panel& p) {
    product(y, x, W, b, rows, p);
}

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

void transpose(const Transposed& to, const float* from, std::size_t from_row, std::size_t rows) {
    constexpr std::size_t N = hn::MaxLanes(D());
    for (std::size_t i = 0; i < to.width; i += N) {
        for (std::size_t j = 0; j < to.rows; j += N) {
            transpose_square(to.data + j * to.row + i, to.row, from + i * from_row + j, from_row,
                             rows - std::min(rows, i), to.rows - j);
        }
    }
}

void linear_input_backward(float* dx, const Panels& dy, const Panels& W, float* scratch, const Rows& rows,
                           const Panel& q) {
    for (const Panel& p : W.panels) {
        transpose({scratch + p.from * q.width, q.width, q.width, p.width},
                  in_panel(W.data, W.rows, p) + q.from * p.width, p.width, q.used);
    }
    product(dx + rows.first * q.stride(), dy, scratch, nullptr, rows, q);
}

void weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p, std::size_t n,
                     const Descent* descent, bool kept) {
    Piece piece{};
    Sum sum;
    sum.pieces = &piece;
    sum.count = 1;
    sum.width = sum.c_row = p.width;
    for (std::size_t i = 0; i < n; i += kTerms) {
        const std::size_t terms = std::min(kTerms, n - i);
        const bool at_the_end = i + terms == n;
        piece = {x + i * q.stride(), q.stride(), dy + i * p.width, terms};
        sum.onto = i > 0;
        sum.descent = at_the_end ? descent : nullptr;
        sum.kept = kept || !at_the_end;
        add_up<true>(dW, sum, {0, q.used});
    }
}

void linear_weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p, std::size_t n) {
    weight_backward(dW, x, q, dy, p, n, nullptr, true);
}

void linear_descend(const Descent& descent, float* dW, bool kept, const float* x, const Panel& q, const float* dy,
                    const Panel& p, std::size_t n) {
    weight_backward(dW, x, q, dy, p, n, &descent, kept);
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(linear_forward);
HWY_EXPORT(linear_input_backward);
HWY_EXPORT(linear_weight_backward);
HWY_EXPORT(linear_descend);
HWY_EXPORT(transpose);

}  // namespace

void linear_forward(float* y, const Panels& x, const float* W, const float* b, const Rows& rows, const Panel& p) {
    HWY_DYNAMIC_DISPATCH(linear_forward)(y, x, W, b, rows, p);
}

void linear_input_backward(float* dx, const Panels& dy, const Panels& W, float* scratch, const Rows& rows,
                           const Panel& q) {
    HWY_DYNAMIC_DISPATCH(linear_input_backward)(dx, dy, W, scratch, rows, q);
}

void linear_weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p, std::size_t n) {
    HWY_DYNAMIC_DISPATCH(linear_weight_backward)(dW, x, q, dy, p, n);
}

void linear_descend(const Descent& descent, float* dW, bool kept, const float* x, const Panel& q, const float* dy,
                    const Panel& p, std::size_t n) {
    HWY_DYNAMIC_DISPATCH(linear_descend)(descent, dW, kept, x, q, dy, p, n);
}

void transpose(const Transposed& to, const float* from, std::size_t from_row, std::size_t rows) {
    HWY_DYNAMIC_DISPATCH(transpose)(to, from, from_row, rows);
}

}  // namespace byhand::simd
#endif
