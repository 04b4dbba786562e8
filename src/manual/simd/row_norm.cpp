#include "manual/simd/row_norm.h"

#include <algorithm>
#include <cmath>

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manual/simd/row_norm.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "manual/simd/vectors-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

// Rows that pass through together: one at a time, each pass would wait for the sum of the one before.
constexpr std::size_t kTogether = 16;
// visit(r, at, column) for each vector of kCount rows from i on: the row, less i, the vector's offset, and its first
// column.
template <std::size_t kCount, class Visit>
HWY_INLINE void for_each_vector(const RowNorm& norm, std::size_t i, Visit visit) {
    for (const Panel& p : norm.panels) {
        const std::size_t row = norm.n * p.from + i * p.width;
        for (std::size_t j = 0; j < p.width; j += hn::Lanes(D())) {
            HWY_UNROLL(4)
            for (std::size_t r = 0; r < kCount; ++r) {
                visit(r, row + j + r * p.width, p.from + j);
            }
        }
    }
}

std::size_t columns_of(const RowNorm& norm) {
    return norm.panels.back().from + norm.panels.back().used;
}

// means[r] = Σ_j term(r, at, column)/H along row i + r, for kCount rows.
template <std::size_t kCount, class Term>
HWY_INLINE void means_along(float* means, const RowNorm& norm, std::size_t i, Term term) {
    const D d;
    const std::size_t columns = columns_of(norm), N = hn::Lanes(d);
    V total[kCount];
    for (V& one : total) {
        one = hn::Zero(d);
    }
    for_each_vector<kCount>(norm, i, [&](std::size_t r, std::size_t at, std::size_t column) HWY_ATTR {
        if (column + N <= columns) {
            total[r] = hn::Add(total[r], term(r, at, column));
        } else {
            const auto own = hn::FirstN(d, columns - std::min(columns, column));
            total[r] = hn::Add(total[r], hn::IfThenElseZero(own, term(r, at, column)));
        }
    });
    for (std::size_t r = 0; r < kCount; ++r) {
        means[r] = hn::GetLane(hn::SumOfLanes(d, total[r])) / static_cast<float>(columns);
    }
}

// A number of each row in all lanes; 0 if there are none.
template <std::size_t kCount>
HWY_INLINE void broadcast(V (&lanes)[kCount], const float* numbers) {
    for (std::size_t r = 0; r < kCount; ++r) {
        lanes[r] = hn::Set(D(), numbers != nullptr ? numbers[r] : 0.0F);
    }
}

void row_norm_forward(float* y, const float* x, const RowNorm& of, const Rows& rows) {
    const D d;
    const RowNorm norm = of;
    for (std::size_t first = rows.first; first < rows.last; first += kTogether) {
        const std::size_t last = std::min(first + kTogether, rows.last);
        if (norm.mean != nullptr) {
            for_rows(first, last, [&](std::size_t i, auto count) HWY_ATTR {
                means_along<count>(norm.mean + i, norm, i, [=](std::size_t, std::size_t at, std::size_t) HWY_ATTR {
                    return hn::Load(d, x + at);
                });
            });
        }
        const auto mean_of = [&](std::size_t i) { return norm.mean != nullptr ? norm.mean + i : nullptr; };
        for_rows(first, last, [&](std::size_t i, auto count) HWY_ATTR {
            V mean[count];
            broadcast(mean, mean_of(i));
            means_along<count>(norm.var + i, norm, i, [&](std::size_t r, std::size_t at, std::size_t) HWY_ATTR {
                const V v = hn::Sub(hn::Load(d, x + at), mean[r]);
                return hn::Mul(v, v);
            });
        });
        for (std::size_t i = first; i < last; ++i) {
            norm.inv[i] = 1.0F / std::sqrt(norm.var[i] + norm.epsilon);
        }
        for_rows(first, last, [&](std::size_t i, auto count) HWY_ATTR {
            V mean[count], inv[count];
            broadcast(mean, mean_of(i));
            broadcast(inv, norm.inv + i);
            for_each_vector<count>(norm, i, [&](std::size_t r, std::size_t at, std::size_t column) HWY_ATTR {
                V made = hn::Mul(hn::Sub(hn::Load(d, x + at), mean[r]), inv[r]);
                hn::Store(made, d, norm.raw + at);
                if (norm.gain != nullptr) {
                    made = hn::Mul(hn::Load(d, norm.gain + column), made);
                }
                if (norm.bias != nullptr) {
                    made = hn::Add(made, hn::Load(d, norm.bias + column));
                }
                hn::Store(made, d, y + at);
            });
        });
    }
}

void row_norm_backward(float* dy, const RowNorm& of, const Rows& rows) {
    const D d;
    const RowNorm norm = of;
    const auto draw = [=](std::size_t at, std::size_t column) HWY_ATTR {
        const V v = hn::Load(d, dy + at);
        return norm.gain != nullptr ? hn::Mul(v, hn::Load(d, norm.gain + column)) : v;
    };
    for (std::size_t first = rows.first; first < rows.last; first += kTogether) {
        const std::size_t last = std::min(first + kTogether, rows.last);
        float means[kTogether] = {}, slopes[kTogether];
        if (norm.mean != nullptr) {
            for_rows(first, last, [&](std::size_t i, auto count) HWY_ATTR {
                means_along<count>(means + (i - first), norm, i,
                                   [=](std::size_t, std::size_t at, std::size_t column)
                                       HWY_ATTR { return draw(at, column); });
            });
        }
        for_rows(first, last, [&](std::size_t i, auto count) HWY_ATTR {
            means_along<count>(slopes + (i - first), norm, i,
                               [=](std::size_t, std::size_t at, std::size_t column)
                                   HWY_ATTR { return hn::Mul(draw(at, column), hn::Load(d, norm.raw + at)); });
        });
        for_rows(first, last, [&](std::size_t i, auto count) HWY_ATTR {
            V mean[count], slope[count], inv[count];
            broadcast(mean, means + (i - first));
            broadcast(slope, slopes + (i - first));
            broadcast(inv, norm.inv + i);
            for_each_vector<count>(norm, i, [&](std::size_t r, std::size_t at, std::size_t column) HWY_ATTR {
                const V rest =
                    hn::Sub(hn::Sub(draw(at, column), mean[r]), hn::Mul(slope[r], hn::Load(d, norm.raw + at)));
                hn::Store(hn::Mul(inv[r], rest), d, dy + at);
            });
        });
    }
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

void row_norm_forward(float* y, const float* x, const RowNorm& norm, const Rows& rows) {
    HWY_DYNAMIC_DISPATCH(row_norm_forward)(y, x, norm, rows);
}

void row_norm_backward(float* dy, const RowNorm& norm, const Rows& rows) {
    HWY_DYNAMIC_DISPATCH(row_norm_backward)(dy, norm, rows);
}

}  // namespace byhand::simd
#endif
