#include "manual/simd/norm.h"

#include <algorithm>

// This file is compiled once for every kind of vector; HWY_DYNAMIC_DISPATCH below picks the best one the CPU has.
// foreach_target comes before highway, whatever the alphabet says.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manual/simd/norm.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// Σ_i term(i·width + j) for a vector of columns, by eights as in manual/sums.h.
template <class Term>
HWY_INLINE V sum_down(std::size_t n, std::size_t width, std::size_t j, Term term) {
    constexpr std::size_t kRows = 8;
    const D d;
    V total = hn::Zero(d);
    for (std::size_t first = 0; first < n; first += kRows) {
        V part = hn::Zero(d);
        for (std::size_t i = first; i < std::min(n, first + kRows); ++i) {
            part = hn::Add(part, term(i * width + j));
        }
        total = hn::Add(total, part);
    }
    return total;
}

V divisor_of(Divisor divisor, std::size_t n) {
    return hn::Set(D(), static_cast<float>(divisor == Divisor::n ? n : n - 1));
}

void batchnorm_forward(float* y, const float* x, const NormPanel& p, const NormConfig& norm) {
    const D d;
    const V count = hn::Set(d, static_cast<float>(p.n)), divisor = divisor_of(norm.batch_divisor, p.n);
    const V epsilon = hn::Set(d, static_cast<float>(norm.epsilon)), one = hn::Set(d, 1.0F);
    float* const raw = p.raw;
    for (std::size_t j = 0; j < p.width; j += hn::Lanes(d)) {
        const std::size_t end = p.n * p.width + j;
        const V sum = sum_down(p.n, p.width, j, [=](std::size_t at) HWY_ATTR { return hn::Load(d, x + at); });
        const V mean = hn::Div(sum, count);
        hn::Store(mean, d, p.mean + j);
        const V squares = sum_down(p.n, p.width, j, [=](std::size_t at) HWY_ATTR {
            const V difference = hn::Sub(hn::Load(d, x + at), mean);
            hn::Store(difference, d, raw + at);
            return hn::Mul(difference, difference);
        });
        const V var = hn::Div(squares, divisor);
        hn::Store(var, d, p.var + j);
        const V root = norm.epsilon_place == EpsilonPlace::inside ? hn::Sqrt(hn::Add(var, epsilon))
                                                                  : hn::Add(hn::Sqrt(var), epsilon);
        const V inv = hn::Div(one, root);
        hn::Store(inv, d, p.inv + j);
        if (p.gain == nullptr) {
            for (std::size_t at = j; at < end; at += p.width) {
                const V normalised = hn::Mul(hn::Load(d, raw + at), inv);
                hn::Store(normalised, d, raw + at);
                hn::Store(normalised, d, y + at);
            }
            continue;
        }
        const V gain = hn::Load(d, p.gain + j), bias = hn::Load(d, p.bias + j);
        for (std::size_t at = j; at < end; at += p.width) {
            const V normalised = hn::Mul(hn::Load(d, raw + at), inv);
            hn::Store(normalised, d, raw + at);
            hn::Store(hn::Add(hn::Mul(gain, normalised), bias), d, y + at);
        }
    }
}

void batchnorm_backward(float* dy, float* dgain, float* dbias, const NormPanel& p, const NormConfig& norm) {
    const D d;
    const V count = hn::Set(d, static_cast<float>(p.n)), divisor = divisor_of(norm.batch_divisor, p.n);
    const V epsilon = hn::Set(d, static_cast<float>(norm.epsilon)), one = hn::Set(d, 1.0F);
    const float* const raw = p.raw;
    for (std::size_t j = 0; j < p.width; j += hn::Lanes(d)) {
        // Σdy·x̂ and Σdy: dγ and dβ.
        const V of_product = sum_down(p.n, p.width, j, [=](std::size_t at) HWY_ATTR {
            return hn::Mul(hn::Load(d, dy + at), hn::Load(d, raw + at));
        });
        const V of_dy = sum_down(p.n, p.width, j, [=](std::size_t at) HWY_ATTR { return hn::Load(d, dy + at); });
        V scale = hn::Load(d, p.inv + j);
        if (dgain != nullptr) {
            hn::Store(of_product, d, dgain + j);
            hn::Store(of_dy, d, dbias + j);
            scale = hn::Mul(hn::Load(d, p.gain + j), scale);
        }
        // k, the deviation_share of manual/batchnorm.h.
        const V share = norm.epsilon_place == EpsilonPlace::inside
                            ? one
                            : hn::Add(one, hn::Div(epsilon, hn::Sqrt(hn::Load(d, p.var + j))));
        const V mean = hn::Div(of_dy, count), slope = hn::Div(hn::Mul(share, of_product), divisor);
        const std::size_t end = p.n * p.width + j;
        for (std::size_t at = j; at < end; at += p.width) {
            const V rest = hn::Sub(hn::Sub(hn::Load(d, dy + at), mean), hn::Mul(slope, hn::Load(d, raw + at)));
            hn::Store(hn::Mul(scale, rest), d, dy + at);
        }
    }
}

void sum_rows(float* out, const float* x, std::size_t n, std::size_t width) {
    const D d;
    for (std::size_t j = 0; j < width; j += hn::Lanes(d)) {
        const V sum = sum_down(n, width, j, [=](std::size_t at) HWY_ATTR { return hn::Load(d, x + at); });
        hn::Store(sum, d, out + j);
    }
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(batchnorm_forward);
HWY_EXPORT(batchnorm_backward);
HWY_EXPORT(sum_rows);

}  // namespace

void batchnorm_forward(float* y, const float* x, const NormPanel& panel, const NormConfig& norm) {
    HWY_DYNAMIC_DISPATCH(batchnorm_forward)(y, x, panel, norm);
}

void batchnorm_backward(float* dy, float* dgain, float* dbias, const NormPanel& panel, const NormConfig& norm) {
    HWY_DYNAMIC_DISPATCH(batchnorm_backward)(dy, dgain, dbias, panel, norm);
}

void sum_rows(float* out, const float* x, std::size_t n, std::size_t width) {
    HWY_DYNAMIC_DISPATCH(sum_rows)(out, x, n, width);
}

}  // namespace byhand::simd
#endif
