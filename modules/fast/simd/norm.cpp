#include "fast/simd/norm.h"

#include <algorithm>
#include <array>

#include "fast/panels.h"
#include "fast/simd/kernels.h"

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/simd/norm.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "fast/simd/vectors-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

template <std::size_t kSums>
HWY_INLINE void add(std::array<V, kSums>& sums, const std::array<V, kSums>& terms) {
    for (std::size_t k = 0; k < kSums; ++k) {
        sums[k] = hn::Add(sums[k], terms[k]);
    }
}

// Some vectors of a panel's row at a time, as many as registers allow. Sums are in blocks of eight, as in
// manual/sums.h: total[v] = Σ_i term(i·width + j + v·N, v), one or several sums.
template <std::size_t kSums, std::size_t kVectors, class Term>
HWY_INLINE void sum_down(std::array<V, kSums> (&total)[kVectors], std::size_t n, std::size_t width, std::size_t j,
                         Term term) {
    constexpr std::size_t kRows = 8;
    const D d;
    const std::size_t N = hn::Lanes(d), apart = width_of<kVectors>(width);
    for (auto& sums : total) {
        sums.fill(hn::Zero(d));
    }
    for (std::size_t first = 0; first < n; first += kRows) {
        std::array<V, kSums> part[kVectors];
        for (auto& sums : part) {
            sums.fill(hn::Zero(d));
        }
        const std::size_t end = std::min(n, first + kRows) * apart + j;
        for (std::size_t at = first * apart + j; at != end; at += apart) {
            for (std::size_t v = 0; v < kVectors; ++v) {
                add(part[v], term(at + v * N, v));
            }
        }
        for (std::size_t v = 0; v < kVectors; ++v) {
            add(total[v], part[v]);
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
        std::array<V, 1> sum[vectors];
        V middle[vectors];
        sum_down(sum, p.n, p.width, j,
                 [&](std::size_t at, std::size_t) HWY_ATTR { return std::array{hn::Load(d, x + at)}; });
        for (std::size_t v = 0; v < vectors; ++v) {
            const V share = hn::Div(sum[v][0], count);
            hn::Store(share, d, mean + j + v * hn::Lanes(d));
            middle[v] = hn::Mul(share, whole);
        }
        sum_down(sum, p.n, p.width, j, [&](std::size_t at, std::size_t v) HWY_ATTR {
            const V difference = hn::Sub(hn::Load(d, x + at), middle[v]);
            return std::array{hn::Mul(difference, difference)};
        });
        for (std::size_t v = 0; v < vectors; ++v) {
            hn::Store(hn::Div(sum[v][0], divisor), d, var + j + v * hn::Lanes(d));
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

// dβ = Σ dy and dγ = Σ dy·x̂, where dy is of(offset).
template <class Of>
HWY_INLINE void affine_sums(float* dgain, float* dbias, const float* raw, std::size_t n, std::size_t width, Of of) {
    const D d;
    for_each_column(width, [&](std::size_t j, auto vectors) HWY_ATTR {
        std::array<V, 2> sums[vectors];
        sum_down(sums, n, width, j, [&](std::size_t at, std::size_t) HWY_ATTR {
            const V dy = of(at);
            return std::array{dy, hn::Mul(dy, hn::Load(d, raw + at))};
        });
        for (std::size_t v = 0; v < vectors; ++v) {
            hn::Store(sums[v][0], d, dbias + j + v * hn::Lanes(d));
            hn::Store(sums[v][1], d, dgain + j + v * hn::Lanes(d));
        }
    });
}

void norm_sums(float* dgain, float* dbias, const float* dy, const float* raw, std::size_t n, std::size_t width) {
    affine_sums(dgain, dbias, raw, n, width, [=](std::size_t at) HWY_ATTR { return hn::Load(D(), dy + at); });
}

void tanh_norm_sums(float* dgain, float* dbias, float* dh, const float* h, const float* raw, std::size_t n,
                    std::size_t width) {
    affine_sums(dgain, dbias, raw, n, width, [=](std::size_t at) HWY_ATTR {
        const D d;
        const V t = hn::Load(d, h + at);
        const V dy = hn::Mul(hn::Load(d, dh + at), hn::Sub(hn::Set(d, 1.0F), hn::Mul(t, t)));
        hn::Store(dy, d, dh + at);
        return dy;
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
        std::array<V, 1> sum[vectors];
        sum_down(sum, n, width, j,
                 [&](std::size_t at, std::size_t) HWY_ATTR { return std::array{hn::Load(d, x + at)}; });
        for (std::size_t v = 0; v < vectors; ++v) {
            hn::Store(sum[v][0], d, out + j + v * hn::Lanes(d));
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
HWY_EXPORT(norm_sums);
HWY_EXPORT(tanh_norm_sums);
HWY_EXPORT(sum_rows);

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

// From dL/dy: sums(dγ, dβ), then dL/dx.
template <class Sums>
void backward(float* dy, float* dgain, float* dbias, const NormPanel& panel, const NormConfig& norm, Sums sums) {
    alignas(kAlignment) float none[2][kWidestPanel];
    float* const gains = dgain != nullptr ? dgain : none[0];
    float* const biases = dbias != nullptr ? dbias : none[1];
    sums(gains, biases);
    batchnorm_input_backward(dy, gains, biases, panel, norm);
}

}  // namespace

void batchnorm_backward(float* dy, float* dgain, float* dbias, const NormPanel& panel, const NormConfig& norm) {
    backward(dy, dgain, dbias, panel, norm,
             [&](float* gains, float* biases) { norm_sums(gains, biases, dy, panel.raw, panel.n, panel.width); });
}

void batchnorm_tanh_backward(float* dh, float* dgain, float* dbias, const float* h, const NormPanel& panel,
                             const NormConfig& norm) {
    backward(dh, dgain, dbias, panel, norm, [&](float* gains, float* biases) {
        tanh_norm_sums(gains, biases, dh, h, panel.raw, panel.n, panel.width);
    });
}

void batchnorm_tanh_normalise(float* h, const float* x, const NormPanel& panel, const NormConfig& norm) {
    batchnorm_normalise(h, x, panel, norm);
    tanh_forward(h, h, panel.n * panel.width);
}

void batchnorm_tanh_forward(float* h, const float* x, const NormPanel& panel, const NormConfig& norm) {
    batchnorm_moments(panel.mean, panel.var, x, panel, norm);
    batchnorm_tanh_normalise(h, x, panel, norm);
}

void norm_sums(float* dgain, float* dbias, const float* dy, const float* raw, std::size_t n, std::size_t width) {
    HWY_DYNAMIC_DISPATCH(norm_sums)(dgain, dbias, dy, raw, n, width);
}

void tanh_norm_sums(float* dgain, float* dbias, float* dh, const float* h, const float* raw, std::size_t n,
                    std::size_t width) {
    HWY_DYNAMIC_DISPATCH(tanh_norm_sums)(dgain, dbias, dh, h, raw, n, width);
}

void sum_rows(float* out, const float* x, std::size_t n, std::size_t width) {
    HWY_DYNAMIC_DISPATCH(sum_rows)(out, x, n, width);
}

}  // namespace byhand::simd
#endif
