#include <algorithm>

#include "fast/simd/kernels.h"

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/simd/row_norm.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "fast/simd/vectors-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

// Rows that pass through together: one at a time, each pass would wait for the sum of the one before.
constexpr std::size_t kTogether = 32;

// A number of each of the rows of for_rows.
using FewD = hn::CappedTag<float, kRowsAtOnce>;
using Few = hn::Vec<FewD>;

// The sum of the lanes of each vector, in the same order for one row as for several.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE Few sums_of_lanes(const V (&totals)[1]) {
    return totals[0];
}
#else
template <class Tag>
HWY_INLINE Few folded(Tag d, hn::Vec<Tag> v) {
    if constexpr (hn::MaxLanes(d) > kRowsAtOnce) {
        const hn::Half<Tag> half;
        return folded(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
    } else {
        return v;
    }
}

template <std::size_t kCount>
HWY_INLINE Few sums_of_lanes(const V (&totals)[kCount]) {
    const FewD d;
    Few each[kRowsAtOnce];
    for (std::size_t r = 0; r < kRowsAtOnce; ++r) {
        each[r] = r < kCount ? folded(D(), totals[r]) : hn::Zero(d);
    }
    const Few first = hn::Add(hn::InterleaveLower(d, each[0], each[1]), hn::InterleaveUpper(d, each[0], each[1]));
    const Few second = hn::Add(hn::InterleaveLower(d, each[2], each[3]), hn::InterleaveUpper(d, each[2], each[3]));
    return hn::Add(hn::ConcatLowerLower(d, second, first), hn::ConcatUpperUpper(d, second, first));
}
#endif

// to[r] = numbers[r] for kCount rows.
template <std::size_t kCount>
HWY_INLINE void store(float* to, Few numbers) {
    if constexpr (kCount == 1) {
        *to = hn::GetLane(numbers);
    } else {
        hn::StoreU(numbers, FewD(), to);
    }
}

// Each of several sums of some rows becomes of(sum, term).
template <std::size_t kMeans, std::size_t kCount, class Of>
HWY_INLINE void for_each_sum(V (&totals)[kMeans][kCount], const V (&terms)[kMeans][kCount], Of of) {
    for (std::size_t k = 0; k < kMeans; ++k) {
        for (std::size_t r = 0; r < kCount; ++r) {
            totals[k][r] = of(totals[k][r], terms[k][r]);
        }
    }
}

// means[k] are Σ_j terms[k][r]/H along the rows i + r, where fill(terms, at, apart, column) sets those of a vector: its
// offset in row i, from row to row `apart`, and its first column.
template <std::size_t kMeans, std::size_t kCount, class Fill>
HWY_INLINE void means_along(Few (&means)[kMeans], const RowNorm& norm, std::size_t i, Fill fill) {
    const D d;
    const std::size_t columns = norm.panels.back().from + norm.panels.back().used;
    V totals[kMeans][kCount], terms[kMeans][kCount];
    for (auto& rows : totals) {
        std::fill_n(rows, kCount, hn::Zero(d));
    }
    for (const Panel& p : norm.panels) {
        const std::size_t apart = p.width, start = norm.n * p.from + i * apart;
        for (std::size_t j = 0; j < apart; j += hn::Lanes(d)) {
            fill(terms, start + j, apart, p.from + j);
            if (j + hn::Lanes(d) <= p.used) {
                for_each_sum(totals, terms, [](V total, V term) HWY_ATTR { return hn::Add(total, term); });
            } else {
                const auto own = hn::FirstN(d, p.used - std::min(p.used, j));
                for_each_sum(totals, terms,
                             [=](V total, V term) HWY_ATTR { return hn::Add(total, hn::IfThenElseZero(own, term)); });
            }
        }
    }
    for (std::size_t k = 0; k < kMeans; ++k) {
        means[k] = hn::Div(sums_of_lanes(totals[k]), hn::Set(FewD(), static_cast<float>(columns)));
    }
}

// γ and β of the columns from `column` on: without them 1 and −0, which change nothing. (+0 would change −0.)
HWY_INLINE V gain_of(const RowNorm& norm, std::size_t column) {
    return norm.gain != nullptr ? hn::Load(D(), norm.gain + column) : hn::Set(D(), 1.0F);
}

HWY_INLINE V bias_of(const RowNorm& norm, std::size_t column) {
    return norm.bias != nullptr ? hn::Load(D(), norm.bias + column) : hn::Set(D(), -0.0F);
}

// of(start, apart, column, vectors) for columns of a panel that fit `vectors` vectors, a constant: the offset of those
// of row i, from row to row `apart`, and the first column. Row by row, the memory of a panel is written in order.
template <class Of>
HWY_INLINE void for_each_panel(const RowNorm& norm, std::size_t i, Of of) {
    for (const Panel& p : norm.panels) {
        for_each_column(p.width, [&](std::size_t j, auto vectors) HWY_ATTR {
            const std::size_t apart = width_of<vectors>(p.width);
            of(norm.n * p.from + i * apart + j, apart, p.from + j, vectors);
        });
    }
}

// x, less the mean of its row.
template <bool kHasMean>
HWY_INLINE V difference(const float* x, V mean) {
    const V v = hn::Load(D(), x);
    return kHasMean ? hn::Sub(v, mean) : v;
}

// Row i's, in all lanes.
template <bool kHasMean>
HWY_INLINE V mean_of(const RowNorm& norm, std::size_t i) {
    return hn::Set(D(), kHasMean ? norm.mean[i] : 0.0F);
}

// Mean, variance and inverse deviation of some rows.
template <bool kHasMean>
HWY_INLINE void moments(const float* x, const RowNorm& norm, const RowRange& rows) {
    if (kHasMean) {
        for_rows(rows.first, rows.last, [&](std::size_t i, auto count) HWY_ATTR {
            Few mean[1];
            means_along<1, count>(mean, norm, i,
                                  [&](auto& terms, std::size_t at, std::size_t apart, std::size_t) HWY_ATTR {
                                      for (std::size_t r = 0; r < count; ++r) {
                                          terms[0][r] = hn::Load(D(), x + at + r * apart);
                                      }
                                  });
            store<count>(norm.mean + i, mean[0]);
        });
    }
    for_rows(rows.first, rows.last, [&](std::size_t i, auto count) HWY_ATTR {
        V mean[count];
        for (std::size_t r = 0; r < count; ++r) {
            mean[r] = mean_of<kHasMean>(norm, i + r);
        }
        Few var[1];
        means_along<1, count>(var, norm, i, [&](auto& terms, std::size_t at, std::size_t apart, std::size_t) HWY_ATTR {
            for (std::size_t r = 0; r < count; ++r) {
                const V v = difference<kHasMean>(x + at + r * apart, mean[r]);
                terms[0][r] = hn::Mul(v, v);
            }
        });
        store<count>(norm.var + i, var[0]);
        const FewD d;
        const Few root = hn::Sqrt(hn::Add(var[0], hn::Set(d, norm.epsilon)));
        store<count>(norm.inv + i, hn::Div(hn::Set(d, 1.0F), root));
    });
}

// x̂ and y of some rows.
template <bool kHasMean>
HWY_INLINE void normalise(float* y, const float* x, const RowNorm& norm, const RowRange& rows) {
    for_each_panel(norm, rows.first, [&](std::size_t at, std::size_t apart, std::size_t column, auto vectors) HWY_ATTR {
        const D d;
        const std::size_t N = hn::Lanes(d);
        V gain[vectors], bias[vectors];
        for (std::size_t v = 0; v < vectors; ++v) {
            gain[v] = gain_of(norm, column + v * N);
            bias[v] = bias_of(norm, column + v * N);
        }
        for (std::size_t i = rows.first; i < rows.last; ++i, at += apart) {
            const V mean = mean_of<kHasMean>(norm, i), inv = hn::Set(d, norm.inv[i]);
            for (std::size_t v = 0; v < vectors; ++v) {
                const V raw = hn::Mul(difference<kHasMean>(x + at + v * N, mean), inv);
                hn::Store(raw, d, norm.raw + at + v * N);
                hn::Store(hn::Add(hn::Mul(gain[v], raw), bias[v]), d, y + at + v * N);
            }
        }
    });
}

template <bool kHasMean>
HWY_INLINE void forward(float* y, const float* x, const RowNorm& of, const RowRange& rows) {
    const RowNorm norm = of;
    for (std::size_t first = rows.first; first < rows.last; first += kTogether) {
        const RowRange some = {first, std::min(first + kTogether, rows.last)};
        moments<kHasMean>(x, norm, some);
        normalise<kHasMean>(y, x, norm, some);
    }
}

// Along each of up to kTogether rows, the means of dx̂·x̂ and, with kHasMean, of dx̂.
template <std::size_t kMeans>
using GradientMeans = float[kMeans][kTogether];

template <bool kHasMean, std::size_t kMeans = kHasMean ? 2 : 1>
HWY_INLINE void gradient_means(GradientMeans<kMeans>& means, const float* dy, const RowNorm& norm,
                               const RowRange& rows) {
    for_rows(rows.first, rows.last, [&](std::size_t i, auto count) HWY_ATTR {
        Few found[kMeans];
        means_along<kMeans, count>(found, norm, i,
                                   [&](auto& terms, std::size_t at, std::size_t apart, std::size_t column) HWY_ATTR {
                                       const D d;
                                       const V gain = gain_of(norm, column);
                                       for (std::size_t r = 0; r < count; ++r) {
                                           const V draw = hn::Mul(hn::Load(d, dy + at + r * apart), gain);
                                           terms[0][r] = hn::Mul(draw, hn::Load(d, norm.raw + at + r * apart));
                                           if (kHasMean) {
                                               terms[kMeans - 1][r] = draw;
                                           }
                                       }
                                   });
        for (std::size_t k = 0; k < kMeans; ++k) {
            store<count>(means[k] + (i - rows.first), found[k]);
        }
    });
}

// dx = inv·(dx̂ − mean of dx̂ − x̂·mean of dx̂·x̂) in dy, for some rows.
template <bool kHasMean, std::size_t kMeans = kHasMean ? 2 : 1>
HWY_INLINE void input_gradient(float* dy, const GradientMeans<kMeans>& means, const RowNorm& norm,
                               const RowRange& rows) {
    for_each_panel(norm, rows.first, [&](std::size_t at, std::size_t apart, std::size_t column, auto vectors) HWY_ATTR {
        const D d;
        const std::size_t N = hn::Lanes(d);
        V gain[vectors];
        for (std::size_t v = 0; v < vectors; ++v) {
            gain[v] = gain_of(norm, column + v * N);
        }
        for (std::size_t i = 0; i < rows.last - rows.first; ++i, at += apart) {
            const V slope = hn::Set(d, means[0][i]), mean = hn::Set(d, means[kMeans - 1][i]);
            const V inv = hn::Set(d, norm.inv[rows.first + i]);
            for (std::size_t v = 0; v < vectors; ++v) {
                const V draw = hn::Mul(hn::Load(d, dy + at + v * N), gain[v]);
                const V centred = kHasMean ? hn::Sub(draw, mean) : draw;
                const V rest = hn::Sub(centred, hn::Mul(slope, hn::Load(d, norm.raw + at + v * N)));
                hn::Store(hn::Mul(inv, rest), d, dy + at + v * N);
            }
        }
    });
}

template <bool kHasMean>
HWY_INLINE void backward(float* dy, const RowNorm& of, const RowRange& rows) {
    const RowNorm norm = of;
    for (std::size_t first = rows.first; first < rows.last; first += kTogether) {
        const RowRange some = {first, std::min(first + kTogether, rows.last)};
        GradientMeans<kHasMean ? 2 : 1> means;
        gradient_means<kHasMean>(means, dy, norm, some);
        input_gradient<kHasMean>(dy, means, norm, some);
    }
}

void row_norm_forward(float* y, const float* x, const RowNorm& norm, const RowRange& rows) {
    norm.mean != nullptr ? forward<true>(y, x, norm, rows) : forward<false>(y, x, norm, rows);
}

void row_norm_backward(float* dy, const RowNorm& norm, const RowRange& rows) {
    norm.mean != nullptr ? backward<true>(dy, norm, rows) : backward<false>(dy, norm, rows);
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(row_norm_forward);
HWY_EXPORT(row_norm_backward);

}  // namespace

void row_norm_forward(float* y, const float* x, const RowNorm& norm, const RowRange& rows) {
    HWY_DYNAMIC_DISPATCH(row_norm_forward)(y, x, norm, rows);
}

void row_norm_backward(float* dy, const RowNorm& norm, const RowRange& rows) {
    HWY_DYNAMIC_DISPATCH(row_norm_backward)(dy, norm, rows);
}

}  // namespace byhand::simd
#endif
