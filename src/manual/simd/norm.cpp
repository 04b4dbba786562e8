#include "manual/simd/norm.h"

#include <algorithm>

#include "manual/panels.h"
#include "manual/simd/kernels.h"

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manual/simd/norm.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "manual/simd/vectors-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

// Some vectors of a panel's row at a time, as many as registers allow. Sums are in blocks of eight, as in
// manual/sums.h: total[v] = Σ_i term(i·width + j + v·N, v).
template <std::size_t kVectors, class Term>
HWY_INLINE void sum_down(V (&total)[kVectors], std::size_t n, std::size_t width, std::size_t j, Term term) {
    constexpr std::size_t kRows = 8;
    const D d;
    const std::size_t N = hn::Lanes(d);
    for (std::size_t v = 0; v < kVectors; ++v) {
        total[v] = hn::Zero(d);
    }
    for (std::size_t first = 0; first < n; first += kRows) {
        V part[kVectors];
        for (std::size_t v = 0; v < kVectors; ++v) {
            part[v] = hn::Zero(d);
        }
        const std::size_t end = std::min(n, first + kRows) * width + j;
        for (std::size_t at = first * width + j; at != end; at += width) {
            for (std::size_t v = 0; v < kVectors; ++v) {
                part[v] = hn::Add(part[v], term(at + v * N, v));
            }
        }
        for (std::size_t v = 0; v < kVectors; ++v) {
            total[v] = hn::Add(total[v], part[v]);
        }
    }
}

V divisor_of(Divisor divisor, std::size_t n) {
    return hn::Set(D(), static_cast<float>(divisor == Divisor::n ? n : n - 1));
}

void batchnorm_moments(float* mean, float* var, const float* x, const NormPanel& p, const NormConfig& norm) {
    const D d;
    const V count = hn::Set(d, static_cast<float>(p.batch)), divisor = divisor_of(norm.batch_divisor, p.batch);
    // Of a share to the mean of these rows; exact if they are all.
    const V whole = hn::Set(d, static_cast<float>(static_cast<double>(p.batch) / static_cast<double>(p.n)));
    for_each_column(p.width, [&](std::size_t j, auto vectors) HWY_ATTR {
        V sum[vectors], middle[vectors];
        sum_down(sum, p.n, p.width, j, [&](std::size_t at, std::size_t) HWY_ATTR { return hn::Load(d, x + at); });
        for (std::size_t v = 0; v < vectors; ++v) {
            const V share = hn::Div(sum[v], count);
            hn::Store(share, d, mean + j + v * hn::Lanes(d));
            middle[v] = hn::Mul(share, whole);
        }
        sum_down(sum, p.n, p.width, j, [&](std::size_t at, std::size_t v) HWY_ATTR {
            const V difference = hn::Sub(hn::Load(d, x + at), middle[v]);
            return hn::Mul(difference, difference);
        });
        for (std::size_t v = 0; v < vectors; ++v) {
            hn::Store(hn::Div(sum[v], divisor), d, var + j + v * hn::Lanes(d));
        }
    });
}

template <std::size_t kVectors>
HWY_INLINE void normalise_columns(float* y, const float* x, const NormPanel& p, const NormConfig& norm, std::size_t j) {
    const D d;
    const std::size_t N = hn::Lanes(d), end = p.n * p.width + j;
    const V epsilon = hn::Set(d, static_cast<float>(norm.epsilon)), one = hn::Set(d, 1.0F);
    float* const raw = p.raw;
    V mean[kVectors], inv[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
        const V var = hn::Load(d, p.var + j + v * N);
        const V root = norm.epsilon_place == EpsilonPlace::inside ? hn::Sqrt(hn::Add(var, epsilon))
                                                                  : hn::Add(hn::Sqrt(var), epsilon);
        inv[v] = hn::Div(one, root);
        hn::Store(inv[v], d, p.inv + j + v * N);
        mean[v] = hn::Load(d, p.mean + j + v * N);
    }
    const auto normalised = [&](std::size_t at, std::size_t v)
                                HWY_ATTR { return hn::Mul(hn::Sub(hn::Load(d, x + at), mean[v]), inv[v]); };
    if (p.gain == nullptr) {
        for (std::size_t at = j; at < end; at += p.width) {
            for (std::size_t v = 0; v < kVectors; ++v) {
                const V value = normalised(at + v * N, v);
                hn::Store(value, d, raw + at + v * N);
                hn::Store(value, d, y + at + v * N);
            }
        }
        return;
    }
    V gain[kVectors], bias[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
        gain[v] = hn::Load(d, p.gain + j + v * N);
        bias[v] = hn::Load(d, p.bias + j + v * N);
    }
    for (std::size_t at = j; at < end; at += p.width) {
        for (std::size_t v = 0; v < kVectors; ++v) {
            const V value = normalised(at + v * N, v);
            hn::Store(value, d, raw + at + v * N);
            hn::Store(hn::Add(hn::Mul(gain[v], value), bias[v]), d, y + at + v * N);
        }
    }
}

void batchnorm_normalise(float* y, const float* x, const NormPanel& p, const NormConfig& norm) {
    for_each_column(p.width,
                    [&](std::size_t j, auto vectors) HWY_ATTR { normalise_columns<vectors>(y, x, p, norm, j); });
}

void tanh_backward_sum_rows(float* dbias, float* dh, const float* h, std::size_t n, std::size_t width) {
    const D d;
    for_each_column(width, [&](std::size_t j, auto vectors) HWY_ATTR {
        V sum[vectors];
        sum_down(sum, n, width, j, [&](std::size_t at, std::size_t) HWY_ATTR {
            const V t = hn::Load(d, h + at);
            const V dy = hn::Mul(hn::Load(d, dh + at), hn::Sub(hn::Set(d, 1.0F), hn::Mul(t, t)));
            hn::Store(dy, d, dh + at);
            return dy;
        });
        for (std::size_t v = 0; v < vectors; ++v) {
            hn::Store(sum[v], d, dbias + j + v * hn::Lanes(d));
        }
    });
}

void batchnorm_input_backward(float* dy, const float* dgain, const float* dbias, const NormPanel& p,
                              const NormConfig& norm) {
    const D d;
    const V count = hn::Set(d, static_cast<float>(p.batch)), divisor = divisor_of(norm.batch_divisor, p.batch);
    const V epsilon = hn::Set(d, static_cast<float>(norm.epsilon)), one = hn::Set(d, 1.0F);
    for_each_column(p.width, [&](std::size_t j, auto vectors) HWY_ATTR {
        const std::size_t N = hn::Lanes(d), end = p.n * p.width + j;
        const float* const raw = p.raw;
        V mean[vectors], slope[vectors], scale[vectors];
        for (std::size_t v = 0; v < vectors; ++v) {
            const std::size_t column = j + v * N;
            scale[v] = hn::Load(d, p.inv + column);
            if (p.gain != nullptr) {
                scale[v] = hn::Mul(hn::Load(d, p.gain + column), scale[v]);
            }
            // k, the deviation_share of manual/batchnorm/formulas.h.
            const V share = norm.epsilon_place == EpsilonPlace::inside
                                ? one
                                : hn::Add(one, hn::Div(epsilon, hn::Sqrt(hn::Load(d, p.var + column))));
            mean[v] = hn::Div(hn::Load(d, dbias + column), count);
            slope[v] = hn::Div(hn::Mul(share, hn::Load(d, dgain + column)), divisor);
        }
        for (std::size_t at = j; at < end; at += p.width) {
            for (std::size_t v = 0; v < vectors; ++v) {
                const std::size_t i = at + v * N;
                const V rest = hn::Sub(hn::Sub(hn::Load(d, dy + i), mean[v]), hn::Mul(slope[v], hn::Load(d, raw + i)));
                hn::Store(hn::Mul(scale[v], rest), d, dy + i);
            }
        }
    });
}

void sum_rows(float* out, const float* x, std::size_t n, std::size_t width) {
    const D d;
    for_each_column(width, [&](std::size_t j, auto vectors) HWY_ATTR {
        V sum[vectors];
        sum_down(sum, n, width, j, [&](std::size_t at, std::size_t) HWY_ATTR { return hn::Load(d, x + at); });
        for (std::size_t v = 0; v < vectors; ++v) {
            hn::Store(sum[v], d, out + j + v * hn::Lanes(d));
        }
    });
}

void sum_rows_of_product(float* out, const float* x, const float* y, std::size_t n, std::size_t width) {
    const D d;
    for_each_column(width, [&](std::size_t j, auto vectors) HWY_ATTR {
        V sum[vectors];
        sum_down(sum, n, width, j, [&](std::size_t at, std::size_t) HWY_ATTR {
            return hn::Mul(hn::Load(d, x + at), hn::Load(d, y + at));
        });
        for (std::size_t v = 0; v < vectors; ++v) {
            hn::Store(sum[v], d, out + j + v * hn::Lanes(d));
        }
    });
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(batchnorm_moments);
HWY_EXPORT(batchnorm_normalise);
HWY_EXPORT(batchnorm_input_backward);
HWY_EXPORT(tanh_backward_sum_rows);
HWY_EXPORT(sum_rows);
HWY_EXPORT(sum_rows_of_product);

}  // namespace

void batchnorm_moments(float* mean, float* var, const float* x, const NormPanel& panel, const NormConfig& norm) {
    HWY_DYNAMIC_DISPATCH(batchnorm_moments)(mean, var, x, panel, norm);
}

void batchnorm_normalise(float* y, const float* x, const NormPanel& panel, const NormConfig& norm) {
    HWY_DYNAMIC_DISPATCH(batchnorm_normalise)(y, x, panel, norm);
}

void batchnorm_forward(float* y, const float* x, const NormPanel& panel, const NormConfig& norm) {
    batchnorm_moments(panel.mean, panel.var, x, panel, norm);
    batchnorm_normalise(y, x, panel, norm);
}

void batchnorm_input_backward(float* dy, const float* dgain, const float* dbias, const NormPanel& panel,
                              const NormConfig& norm) {
    HWY_DYNAMIC_DISPATCH(batchnorm_input_backward)(dy, dgain, dbias, panel, norm);
}

namespace {

// From dL/dy and its sum.
void backward_from_sum(float* dy, float* dgain, const float* dbias, const NormPanel& panel, const NormConfig& norm) {
    alignas(kAlignment) float none[kWidestPanel];
    float* const sums = dgain != nullptr ? dgain : none;
    sum_rows_of_product(sums, dy, panel.raw, panel.n, panel.width);
    batchnorm_input_backward(dy, sums, dbias, panel, norm);
}

}  // namespace

void batchnorm_backward(float* dy, float* dgain, float* dbias, const NormPanel& panel, const NormConfig& norm) {
    alignas(kAlignment) float none[kWidestPanel];
    float* const sums = dbias != nullptr ? dbias : none;
    sum_rows(sums, dy, panel.n, panel.width);
    backward_from_sum(dy, dgain, sums, panel, norm);
}

void batchnorm_tanh_normalise(float* h, const float* x, const NormPanel& panel, const NormConfig& norm) {
    batchnorm_normalise(h, x, panel, norm);
    tanh_forward(h, h, panel.n * panel.width);
}

void batchnorm_tanh_forward(float* h, const float* x, const NormPanel& panel, const NormConfig& norm) {
    batchnorm_moments(panel.mean, panel.var, x, panel, norm);
    batchnorm_tanh_normalise(h, x, panel, norm);
}

void batchnorm_tanh_backward(float* dh, float* dgain, float* dbias, const float* h, const NormPanel& panel,
                             const NormConfig& norm) {
    alignas(kAlignment) float none[kWidestPanel];
    float* const sums = dbias != nullptr ? dbias : none;
    tanh_backward_sum_rows(sums, dh, h, panel.n, panel.width);
    backward_from_sum(dh, dgain, sums, panel, norm);
}

void tanh_backward_sum_rows(float* dbias, float* dh, const float* h, std::size_t n, std::size_t width) {
    HWY_DYNAMIC_DISPATCH(tanh_backward_sum_rows)(dbias, dh, h, n, width);
}

void sum_rows(float* out, const float* x, std::size_t n, std::size_t width) {
    HWY_DYNAMIC_DISPATCH(sum_rows)(out, x, n, width);
}

void sum_rows_of_product(float* out, const float* x, const float* y, std::size_t n, std::size_t width) {
    HWY_DYNAMIC_DISPATCH(sum_rows_of_product)(out, x, y, n, width);
}

}  // namespace byhand::simd
#endif
