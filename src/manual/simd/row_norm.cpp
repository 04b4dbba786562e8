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

// Calls visit(at, column) for each vector of row i: its offset, and its first column.
template <class Visit>
HWY_INLINE void for_each_vector(const RowNorm& norm, std::size_t i, Visit visit) {
    for (const Panel& p : norm.panels) {
        const std::size_t row = norm.n * p.from + i * p.width;
        for (std::size_t j = 0; j < p.width; j += hn::Lanes(D())) {
            visit(row + j, p.from + j);
        }
    }
}

std::size_t columns_of(const RowNorm& norm) {
    return norm.panels.back().from + norm.panels.back().used;
}

// Σ_j term(at, column) along row i.
template <class Term>
HWY_INLINE float sum_along(const RowNorm& norm, std::size_t i, Term term) {
    const D d;
    const std::size_t columns = columns_of(norm), N = hn::Lanes(d);
    V total = hn::Zero(d);
    for_each_vector(norm, i, [&](std::size_t at, std::size_t column) HWY_ATTR {
        if (column + N <= columns) {
            total = hn::Add(total, term(at, column));
        } else {
            const auto own = hn::FirstN(d, columns - std::min(columns, column));
            total = hn::Add(total, hn::IfThenElseZero(own, term(at, column)));
        }
    });
    return hn::GetLane(hn::SumOfLanes(d, total));
}

void row_norm_forward(float* y, const float* x, const RowNorm& of, const Rows& rows) {
    const D d;
    const RowNorm norm = of;
    const auto H = static_cast<float>(columns_of(norm));
    for (std::size_t first = rows.first; first < rows.last; first += kTogether) {
        const std::size_t last = std::min(first + kTogether, rows.last);
        for (std::size_t i = first; norm.mean != nullptr && i < last; ++i) {
            norm.mean[i] =
                sum_along(norm, i, [=](std::size_t at, std::size_t) HWY_ATTR { return hn::Load(d, x + at); }) / H;
        }
        const auto difference = [&](std::size_t i) HWY_ATTR {
            return [=, mean = hn::Set(d, norm.mean != nullptr ? norm.mean[i] : 0.0F)](std::size_t at)
                       HWY_ATTR { return hn::Sub(hn::Load(d, x + at), mean); };
        };
        for (std::size_t i = first; i < last; ++i) {
            norm.var[i] = sum_along(norm, i,
                                    [of_row = difference(i)](std::size_t at, std::size_t) HWY_ATTR {
                                        const V v = of_row(at);
                                        return hn::Mul(v, v);
                                    }) /
                          H;
        }
        for (std::size_t i = first; i < last; ++i) {
            norm.inv[i] = 1.0F / std::sqrt(norm.var[i] + norm.epsilon);
        }
        for (std::size_t i = first; i < last; ++i) {
            const V inv = hn::Set(d, norm.inv[i]);
            const auto of_row = difference(i);
            for_each_vector(norm, i, [=](std::size_t at, std::size_t column) HWY_ATTR {
                const V raw = hn::Mul(of_row(at), inv);
                hn::Store(raw, d, norm.raw + at);
                V made = raw;
                if (norm.gain != nullptr) {
                    made = hn::Mul(hn::Load(d, norm.gain + column), made);
                }
                if (norm.bias != nullptr) {
                    made = hn::Add(made, hn::Load(d, norm.bias + column));
                }
                hn::Store(made, d, y + at);
            });
        }
    }
}

void row_norm_backward(float* dy, const RowNorm& of, const Rows& rows) {
    const D d;
    const RowNorm norm = of;
    const auto H = static_cast<float>(columns_of(norm));
    const auto draw = [=](std::size_t at, std::size_t column) HWY_ATTR {
        const V v = hn::Load(d, dy + at);
        return norm.gain != nullptr ? hn::Mul(v, hn::Load(d, norm.gain + column)) : v;
    };
    for (std::size_t first = rows.first; first < rows.last; first += kTogether) {
        const std::size_t last = std::min(first + kTogether, rows.last);
        float mean[kTogether] = {}, slope[kTogether];
        for (std::size_t i = first; norm.mean != nullptr && i < last; ++i) {
            mean[i - first] = sum_along(norm, i, draw) / H;
        }
        for (std::size_t i = first; i < last; ++i) {
            slope[i - first] = sum_along(norm, i,
                                         [=](std::size_t at, std::size_t column) HWY_ATTR {
                                             return hn::Mul(draw(at, column), hn::Load(d, norm.raw + at));
                                         }) /
                               H;
        }
        for (std::size_t i = first; i < last; ++i) {
            const V less = hn::Set(d, mean[i - first]), by = hn::Set(d, slope[i - first]);
            const V inv = hn::Set(d, norm.inv[i]);
            for_each_vector(norm, i, [=](std::size_t at, std::size_t column) HWY_ATTR {
                const V rest = hn::Sub(hn::Sub(draw(at, column), less), hn::Mul(by, hn::Load(d, norm.raw + at)));
                hn::Store(hn::Mul(inv, rest), d, dy + at);
            });
        }
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
