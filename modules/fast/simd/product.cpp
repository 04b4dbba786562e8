#include "fast/simd/product.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/simd/product.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "fast/simd/few_inputs-inl.h"
#include "fast/simd/tile-inl.h"
#include "fast/simd/transpose-inl.h"
#include "fast/simd/vectors-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

// Sums are accumulated in registers before they are added to the result: this many panels are 288 terms, and longer
// sums have larger rounding errors.
constexpr std::size_t kPanels = 6;
constexpr std::size_t kTerms = 256;
// In aᵀ·b each term reads another row of a: so many terms later it has come from L2 or farther.
constexpr std::size_t kTermsAhead = 64;

// Some rows of c = [c +] a·b [+ bias]; b, bias and c, the first row, are at their column of the panel.
struct Sum {
    float* c;
    const Panels* a;
    const float* b;
    const float* bias;  // or null
    const RowRange* rows;
    const Panel* panel;
    const Panels* next;  // as wide as a: its rows after the panel's columns are needed next. Null: b's rows after these
    bool onto;           // c contains terms already
};

// What is needed next, in panel q of a; b at its first row.
HWY_INLINE const float* next_of(const Sum& sum, const Panel& q, const float* b, std::size_t width) {
    const Panel &first = sum.a->panels.front(), &last = sum.a->panels.back();
    return sum.next != nullptr
               ? in_panel(sum.next->data, sum.next->rows, q) + (sum.panel->from + sum.panel->width) * q.width
               : b + (last.from + last.used - first.from) * width;
}

// A tile at row i, which is at c.
template <std::size_t kHeight, std::size_t kVectors, bool kHalf>
HWY_INLINE void tile(float* c, const Sum* sum, std::size_t i) {
    const D d;
    V total[kHeight][kVectors];
    clear(total);
    for (const Panel& q : sum->a->panels) {
        const std::size_t width = width_of<kVectors>(sum->panel->width);
        const float* const a = in_panel(sum->a->data, sum->a->rows, q) + i * q.stride();
        const float* const b = sum->b + q.from * width;
        keep_in_memory(sum);
        keep_in_memory(c);
        keep_in_memory(i);
        const Piece piece = {a, q.stride(), b, q.used};
        // A panel has as many terms as a row of it has numbers, or nearly.
        const Ahead next_a = {a + kHeight * q.stride(), kHeight};
        if constexpr (kVectors == 3 && kHeight == kTallTile) {
            // Of what is needed next, as many rows as q has terms, each tile prefetches its share or somewhat more.
            const float* const next = next_of(*sum, q, b, width);
            const std::size_t step = kHeight * kWidestPanel / (sum->rows->last - sum->rows->first) + 1;
            const std::size_t before = (i - sum->rows->first) / kHeight * kWidestPanel * step;
            add_terms<false, kHalf>(total, piece, width, std::array{next_a, Ahead{next + before, step}});
        } else {
            add_terms<false, kHalf>(total, piece, width, std::array{next_a});
        }
    }
    const std::size_t c_row = sum->panel->stride();
    if (sum->onto) {
        add(total, c, c_row);
    }
    // Added to the finished sum: otherwise each small term would be rounded at the magnitude of the bias.
    if (const float* const bias = sum->bias; bias != nullptr) {
        for_each_sum(total, [=](V& one, std::size_t, std::size_t v)
                                HWY_ATTR { one = hn::Add(one, hn::Load(d, bias + v * hn::Lanes(d))); });
    }
    store(c, c_row, total);
}

// aᵀ·b: what is done with a sum other than to store it in c.
struct SumUse {
    const float* c = nullptr;          // the whole result
    bool onto = false;                 // c contains terms already
    const Descent* descent = nullptr;  // new_W = W − rate·sum
    bool kept = true;                  // c = sum
};

// W and new_W: at the numbers whose gradient it is.
HWY_INLINE void descend(const float* W, float* new_W, V rate, V gradient) {
    const D d;
    hn::Store(hn::Sub(hn::Load(d, W), hn::Mul(rate, gradient)), d, new_W);
}

// A tile of aᵀ·b; p and c are at its row and column. use: null if the sums are only stored.
template <std::size_t kHeight, std::size_t kVectors, bool kHalf>
HWY_INLINE void transposed_tile(float* c, const Piece& p, std::size_t width, const SumUse* use) {
    const D d;
    V total[kHeight][kVectors];
    clear(total);
    const Descent* descent = use != nullptr ? use->descent : nullptr;
    keep_in_memory(c);
    keep_in_memory(use);
    // The tall tiles, and as tall ones by two vectors.
    constexpr bool kFetchesA = kVectors > 1 && kHeight == kTallTile;
    const Ahead a = {p.a + kTermsAhead * p.a_row, p.a_row};
    if (kVectors == 3 && kHeight % rows_of_tile(kVectors) == 0 && descent != nullptr && p.depth >= kManyTerms) {
        const std::size_t next = c - use->c + kHeight * width, step = kHeight * width / p.depth;
        const Ahead W = {descent->W + next, step}, new_W = {descent->new_W + next, step};
        if constexpr (kFetchesA) {
            add_terms<true, kHalf>(total, p, width, std::array{a, W, new_W});
        } else {
            add_terms<true, kHalf>(total, p, width, std::array{W, new_W});
        }
    } else if constexpr (kFetchesA) {
        add_terms<true, kHalf>(total, p, width, std::array{a});
    } else {
        add_terms<true, kHalf>(total, p, width, std::array<Ahead, 0>());
    }
    if (use != nullptr) {
        descent = use->descent;
        if (use->onto) {
            add(total, c, width);
        }
        if (descent != nullptr) {
            const float* const W = descent->W + (c - use->c);
            float* const new_W = descent->new_W + (c - use->c);
            const V rate = hn::Set(d, descent->rate);
            for_each_sum(total, [=](const V& one, std::size_t r, std::size_t v) HWY_ATTR {
                const std::size_t at = r * width + v * hn::Lanes(d);
                descend(W + at, new_W + at, rate, one);
            });
        }
        if (!use->kept) {
            return;
        }
    }
    store(c, width, total);
}

// kLast: the rows of the last tile, less one.
template <std::size_t kVectors, bool kHalf, std::size_t... kLast>
HWY_NOINLINE void tiles(const Sum* sum, std::index_sequence<kLast...>) {
    float* c = sum->c;
    std::size_t i = sum->rows->first;
    for_rows_of_tile<kVectors>(false, sum->a->panels.size() * kWidestPanel, [&](auto height) HWY_ATTR {
        for (; i + sizeof...(kLast) < sum->rows->last; i += height) {
            tile<height, kVectors, kHalf>(c, sum, i);
            c += height * sum->panel->stride();
        }
    });
    const std::size_t last = sum->rows->last - i;
    ((last == kLast + 1 ? tile<kLast + 1, kVectors, kHalf>(c, sum, i) : void()), ...);
}

// The same of aᵀ·b. The arguments are few and in registers: the sums of the last call still wait to be stored, and a
// CPU's queue of stores is soon full.
template <std::size_t kVectors, bool kHalf, std::size_t... kLast>
HWY_NOINLINE void transposed_tiles(float* c, const float* a, const Panel& q, const float* b, std::size_t depth,
                                   std::size_t panel_width, const SumUse* use, std::index_sequence<kLast...>) {
    const std::size_t width = width_of<kVectors>(panel_width);
    Piece piece = {a, q.stride(), b, depth};
    std::size_t rows = q.used;
    for_rows_of_tile<kVectors>(true, depth, [&](auto height) HWY_ATTR {
        for (; rows > sizeof...(kLast); rows -= height) {
            transposed_tile<height, kVectors, kHalf>(c, piece, width, use);
            piece.a += height;
            c += height * width;
        }
    });
    ((rows == kLast + 1 ? transposed_tile<kLast + 1, kVectors, kHalf>(c, piece, width, use) : void()), ...);
}

// Some rows of [c +] a·b + bias in panel p, of which c is the first: the sum runs over the columns of a; b(k, …) at
// b + k·p.width.
HWY_INLINE void product(float* c, const Panels& a, const float* b, const float* bias, const RowRange& rows,
                        const Panel& p, const Panels* next, bool onto) {
    for_each_used_column(p.width, p.used, [&](std::size_t j, auto vectors, auto half) HWY_ATTR {
        constexpr std::size_t kVectors = decltype(vectors)::value;
        constexpr bool kHalf = decltype(half)::value;
        const Sum sum = {c + j, &a, b + j, bias != nullptr ? bias + j : nullptr, &rows, &p, next, onto};
        tiles<kVectors, kHalf>(&sum, std::make_index_sequence<rows_of_last_tile(kVectors)>());
    });
}

// The same, kPanels of a at a time.
HWY_NOINLINE void long_product(float* c, const Panels& a, const float* b, const float* bias, const RowRange& rows,
                               const Panel& p, const Panels* next) {
    const std::size_t all = a.panels.size(), parts = (all + kPanels - 1) / kPanels;
    std::size_t from = 0;
    for (std::size_t part = 1; part <= parts; ++part) {
        const std::size_t to = all * part / parts;
        product(c, {a.data, a.rows, a.panels.subspan(from, to - from)}, b, to == all ? bias : nullptr, rows, p, next,
                from > 0);
        from = to;
    }
}

HWY_INLINE void product(float* c, const Panels& a, const float* b, const float* bias, const RowRange& rows,
                        const Panel& p, const Panels* next) {
    if (a.panels.size() <= kPanels) {
        product(c, a, b, bias, rows, p, next, false);
    } else {
        long_product(c, a, b, bias, rows, p, next);
    }
}

HWY_INLINE void transposed_product(float* c, const float* a, const Panel& q, const float* b, const Panel& p,
                                   std::size_t depth, const SumUse* use) {
    for_each_used_column(p.width, p.used, [=, &q, &p](std::size_t j, auto vectors, auto half) HWY_ATTR {
        constexpr std::size_t kVectors = decltype(vectors)::value;
        constexpr bool kHalf = decltype(half)::value;
        transposed_tiles<kVectors, kHalf>(c + j, a, q, b + j, depth, p.width, use,
                                          std::make_index_sequence<rows_of_last_tile(kVectors)>());
    });
}

// dW = xᵀ·dy in parts of kTerms, and the update; descent: null if there is none.
HWY_INLINE void weight_backward_by_rows(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p,
                                        std::size_t n, const Descent* descent, bool kept) {
    for (std::size_t i = 0; i < n; i += kTerms) {
        const std::size_t terms = std::min(kTerms, n - i);
        const bool at_the_end = i + terms == n;
        const SumUse use = {dW, i > 0, at_the_end ? descent : nullptr, kept || !at_the_end};
        transposed_product(dW, x + i * q.stride(), q, dy + i * p.width, p, terms, &use);
    }
}

// The same as (dyᵀ·x)ᵀ: the inputs lie along the vectors, and the outputs are not padded.
HWY_NOINLINE void weight_backward_by_columns(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p,
                                             std::size_t n, const Descent* descent, bool kept) {
    const D d;
    HWY_ALIGN float columns[kWidestPanel * kWidestPanel];
    weight_backward_by_rows(columns, dy, p, x, q, n, nullptr, true);
    for_each_transposed({dW, p.width, p.width, q.used}, columns, q.width, p.used, [=](V one, float* at) HWY_ATTR {
        if (descent != nullptr) {
            const std::size_t from_first = at - dW;
            descend(descent->W + from_first, descent->new_W + from_first, hn::Set(d, descent->rate), one);
        }
        if (kept) {
            hn::Store(one, d, at);
        }
    });
}

bool pays_by_columns(const Panel& q, const Panel& p, std::size_t n) {
    // The sums are stored before they are transposed, and W is not prefetched.
    constexpr std::size_t kCost = 2 * kTranspose;
    const auto halves = [](std::size_t count) { return (count + 7) / 8; };
    const std::size_t strips = (p.used + 15) / 16 * halves(q.used);
    return q.joined == 1 && n * p.used * halves(q.used) + kCost * strips < n * q.used * halves(p.used);
}

HWY_NOINLINE void long_weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p,
                                       std::size_t n, const Descent* descent, bool kept) {
    if (pays_by_columns(q, p, n)) {
        weight_backward_by_columns(dW, x, q, dy, p, n, descent, kept);
    } else {
        weight_backward_by_rows(dW, x, q, dy, p, n, descent, kept);
    }
}

HWY_INLINE void weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p,
                                std::size_t n, const Descent* descent, bool kept) {
    // By columns is slower with few terms, or if dy is not padded.
    if (n > kTerms || (n >= kManyTerms && p.used % 8 != 0)) {
        long_weight_backward(dW, x, q, dy, p, n, descent, kept);
    } else if (descent != nullptr) {
        const SumUse use = {dW, false, descent, kept};
        transposed_product(dW, x, q, dy, p, n, &use);
    } else {
        transposed_product(dW, x, q, dy, p, n, nullptr);
    }
}

class OurProducts final : public Products {
public:
    void linear_forward(float* y, const Panels& x, const float* W, const float* b, const RowRange& rows,
                        const Panel& p) const override {
        product(y, x, W, b, rows, p, nullptr);
    }

    void linear_input_backward(float* dx, const Panels& dy, const Panels& W, float* scratch, const RowRange& rows,
                               const Panel& q) const override {
        // Longer sums are added in parts.
        if (W.panels.size() <= kPanels &&
            few_inputs_backward(dx, dy, W, rows, q, std::make_index_sequence<kFewInputs>())) {
            return;
        }
        for (const Panel& p : W.panels) {
            transpose({scratch + p.from * q.width, q.width, q.width, p.used},
                      in_panel(W.data, W.rows, p) + q.from * p.width, p.width, q.used);
        }
        product(dx + rows.first * q.stride(), dy, scratch, nullptr, rows, q, &W);
    }

    bool prefetches_weights() const override { return kManyRegisters; }

    void linear_weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p,
                                std::size_t n) const override {
        weight_backward(dW, x, q, dy, p, n, nullptr, true);
    }

    void linear_descend(const Descent& descent, float* dW, bool kept, const float* x, const Panel& q, const float* dy,
                        const Panel& p, std::size_t n) const override {
        weight_backward(dW, x, q, dy, p, n, &descent, kept);
    }
};

const Products& products() {
    static const OurProducts ours;
    return ours;
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(products);
HWY_EXPORT(transpose);

}  // namespace

const Products& products() {
    return HWY_DYNAMIC_DISPATCH(products)();
}

void transpose(const Transposed& to, const float* from, std::size_t from_row, std::size_t rows) {
    HWY_DYNAMIC_DISPATCH(transpose)(to, from, from_row, rows);
}

}  // namespace byhand::simd
#endif
