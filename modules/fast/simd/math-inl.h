// tanh, exp, the sigmoid and the normal distribution of a vector. Included once for each vector type (see
// hwy/foreach_target.h).
#if defined(BYHAND_SIMD_MATH_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BYHAND_SIMD_MATH_INL_H
#undef BYHAND_SIMD_MATH_INL_H
#else
#define BYHAND_SIMD_MATH_INL_H
#endif

#include <hwy/contrib/math/math-inl.h>

#include <numbers>

#include "fast/simd/tables.h"
#include "fast/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {

// a + b·x + c·x² + d·x³ + e·x⁴
HWY_INLINE V polynomial(V x, float a, float b, float c, float d, float e) {
    const D tag;
    V sum = hn::MulAdd(hn::Set(tag, e), x, hn::Set(tag, d));
    sum = hn::MulAdd(sum, x, hn::Set(tag, c));
    sum = hn::MulAdd(sum, x, hn::Set(tag, b));
    return hn::MulAdd(sum, x, hn::Set(tag, a));
}

// 2ᵏ·e^x = 2ⁿ⁺ᵏ·(1 + p), with x = n·ln 2 + r and p = r + r²·P(r), for −126 ≤ n + k ≤ 127.
struct Exponential {
    V power, p;
};
template <int k = 0>
HWY_INLINE Exponential exponential(V x) {
    const D d;
    const hn::RebindToSigned<D> bits;
    // Floats around 1.5·2²³ have no fractional bits, so adding it rounds; with k + 127 added, the last bits are the
    // exponent field of 2ⁿ⁺ᵏ.
    const V large = hn::Set(d, 0x1.8p23F + 127 + k);
    const V shifted = hn::MulAdd(x, hn::Set(d, std::numbers::log2e_v<float>), large);
    const V n = hn::Sub(shifted, large);
    // ln 2 in two parts: n times the first is exact.
    const V first = hn::Set(d, 0x1.63p-1F);  // NOLINT(modernize-use-std-numbers)
    const V r = hn::NegMulAdd(n, hn::Set(d, -0x1.bd0106p-13F), hn::NegMulAdd(n, first, x));
    // The minimax polynomial (Remez) for (e^r − 1 − r)/r² on ±½·ln 2: an error of 0.05 units of 2⁻²⁴ in e^r.
    const V P = polynomial(r, 0.50000001F, 0.16666518F, 0.041666204F, 0.0083689535F, 0.0013950603F);
    return {hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(bits, shifted))), hn::MulAdd(hn::Mul(r, r), P, r)};
}

// e^x for x ≤ 0, subnormal from −87.4 to −103.97 and 0 below. NaN is not below −105, and is preserved.
HWY_INLINE V exp_below_0(V x) {
    constexpr int k = 32;  // 2ⁿ may be subnormal, for which there is no exponent field; 2ⁿ⁺³² is not
    const V least = hn::Set(D(), -105.0F);
    const Exponential e = exponential<k>(hn::IfThenElse(hn::Lt(x, least), least, x));
    return hn::Mul(hn::MulAdd(e.p, e.power, e.power), hn::Set(D(), 0x1p-32F));
}

#if HWY_MAX_BYTES == 64
// The function of a table: a vector of 16 lanes can be 16 numbers of it. Each operation is done for all vectors before
// the next: within one vector each would wait for the one before.
template <std::size_t kVectors>
HWY_INLINE void look_up(V (&x)[kVectors], const Table& table) {
    const D d;
    const hn::RebindToUnsigned<D> bits;
    const auto each = [](auto of) HWY_ATTR {
        HWY_UNROLL(4)
        for (std::size_t v = 0; v < kVectors; ++v) {
            of(v);
        }
    };
    const V one = hn::Set(d, 1.0F), most = hn::Set(d, 10.0F);  // all are constant from 9.02 on
    const auto last_digits = hn::Set(bits, 15);
    decltype(hn::IndicesFromVec(d, last_digits)) interval[kVectors];
    V r[kVectors], sum[kVectors];
    each([&](std::size_t v) HWY_ATTR { r[v] = hn::Min(most, hn::Abs(x[v])); });  // NaN if x is: x86 returns the second
    each([&](std::size_t v) HWY_ATTR {
        const auto digits = hn::ShiftRight<21>(hn::BitCast(bits, hn::Add(r[v], one)));
        interval[v] = hn::IndicesFromVec(d, hn::And(digits, last_digits));
    });
    const auto here = [&](const float* numbers, std::size_t v)
                          HWY_ATTR { return hn::TableLookupLanes(hn::Load(d, numbers), interval[v]); };
    const auto add_term = [&](const float* numbers) HWY_ATTR {
        each([&](std::size_t v) HWY_ATTR { sum[v] = hn::MulAdd(sum[v], r[v], here(numbers, v)); });
    };
    each([&](std::size_t v) HWY_ATTR { r[v] = hn::Sub(r[v], here(table.c, v)); });
    each([&](std::size_t v) HWY_ATTR { sum[v] = here(table.P[4], v); });
    add_term(table.P[3]);
    add_term(table.P[2]);
    add_term(table.P[1]);
    add_term(table.P[0]);
    each([&](std::size_t v) HWY_ATTR { sum[v] = hn::Mul(hn::Mul(r[v], r[v]), sum[v]); });
    each([&](std::size_t v) HWY_ATTR { sum[v] = hn::MulAdd(here(table.s, v), r[v], sum[v]); });
    each([&](std::size_t v) HWY_ATTR { sum[v] = hn::Add(here(table.T, v), sum[v]); });
    each([&](std::size_t v) HWY_ATTR { x[v] = hn::CopySign(sum[v], x[v]); });  // −0 as well
}

template <std::size_t kVectors>
HWY_INLINE void tanh(V (&x)[kVectors]) {
    look_up(x, kTanhTable);
}
#else
// 1/(e^y + 1) for 0 ≤ y ≤ 20, as a number and its relative error. The rounding errors of 1 + p and of e^y + 1 are kept
// separately and enter the residual of the division: one Newton step for the rounding errors.
struct Sigmoid {
    V value, lacks;
};
HWY_INLINE Sigmoid sigmoid_of_minus(V y) {
    const V one = hn::Set(D(), 1.0F);
    const auto [power, p] = exponential(y);
    const V high = hn::Add(one, p), low = hn::Sub(p, hn::Sub(high, one));
    const V e = hn::Mul(high, power), sum = hn::Add(e, one);
    const V rest = hn::MulAdd(low, power, hn::Add(hn::Sub(e, sum), one));
    const V value = hn::Div(one, sum);
    return {value, hn::NegMulAdd(value, rest, hn::NegMulAdd(value, sum, one))};
}

// tanh(x) = x + x³·P(x²) near 0, and elsewhere 1 − 2/(e^(2|x|) + 1) with the sign of x.
HWY_INLINE V tanh(V x) {
    const D d;
    const V one = hn::Set(d, 1.0F), border = hn::Set(d, 0.6F);
    // From 9.02 on it is 1. NaN is not above 10, and is preserved.
    const V most = hn::Set(d, 10.0F), magnitude = hn::Abs(x);
    const V size = hn::IfThenElse(hn::Gt(magnitude, most), most, magnitude);
    const V x2 = hn::Mul(x, x);
    // As above, for (tanh(x) − x)/x³ up to the border: 0.04 units.
    const V P = polynomial(x2, -0.333333F, 0.13331958F, -0.053786684F, 0.020805385F, -0.0059058687F);
    const V near = hn::MulAdd(hn::Mul(x2, x), P, x);
    const Sigmoid s = sigmoid_of_minus(hn::Add(size, size));
    const V twice = hn::Add(s.value, s.value), high = hn::Sub(one, twice);
    const V low = hn::NegMulAdd(twice, s.lacks, hn::Sub(hn::Sub(one, high), twice));
    return hn::CopySign(hn::IfThenElse(hn::Lt(size, border), near, hn::Add(high, low)), x);  // −0 as well
}

template <std::size_t kVectors>
HWY_INLINE void tanh(V (&x)[kVectors]) {
    for (V& one : x) {
        one = tanh(one);
    }
}
#endif

// Highway's Exp returns 0 for NaN and arbitrary values for x > 177; e^89 is already infinite.
HWY_INLINE V exp(V x) {
    const D d;
    return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, hn::Min(x, hn::Set(d, 89.0F))));
}

// 1/(1 + e^−x), using the exponential that can't overflow.
HWY_INLINE V sigmoid(V x) {
    const D d;
    const V zero = hn::Zero(d), one = hn::Set(d, 1.0F), small = exp_below_0(hn::Neg(hn::Abs(x)));
    return hn::Div(hn::IfThenElse(hn::Lt(x, zero), small, one), hn::Add(one, small));
}

// The normal distribution at x: its distribution function Φ(x), and its density e^(−x²/2)/√(2π).
//
// Φ(−x) = ½·erfc(u), u = |x|/√2, and erfc(u) = P(s)·e^(−u²)/(1 + 2u) with s = (u − K)/(u + K): Shepherd and
// Laframboise, Mathematics of Computation 36 (1981), 249-253. scripts/fit_erfc computed P: 0.22 units of 2⁻²⁴. The
// rounding error of P is some units of the last place, too many for values near ½: below |x| = 1, Φ(x) = ½ + x·Q(x²) by
// its Taylor series, whose terms are (−1)ⁿ·x²ⁿ/(√(2π)·2ⁿ·n!·(2n + 1)).
struct Normal {
    V share, density;
};
HWY_INLINE Normal normal(V x) {
    constexpr float kHighest[] = {0.000396307569F, 0.00167591075F, -0.00984449476F, 0.028409254F,
                                  -0.0586468588F,  0.0922907687F,  -0.10881427F,    0.0822784202F,
                                  0.0035862704F,   -0.140240658F,  1.23751262F};
    constexpr float kSeries[] = {-4.12266741e-08F, 6.65969352e-07F, -9.44465626e-06F, 0.000115434688F,
                                 -0.00118732822F,  0.00997355701F,  -0.0664903801F,   0.39894228F};
    const D d;
    const V half = hn::Set(d, 0.5F), one = hn::Set(d, 1.0F), K = hn::Set(d, 3.75F);
    const V square = hn::Mul(x, x), power = exp_below_0(hn::Mul(hn::Neg(half), square));
    const V magnitude = hn::Abs(x), size = hn::Min(hn::Set(d, 20.0F), magnitude);  // from 14.5 on the power is 0
    const V u = hn::Mul(hn::Set(d, std::numbers::sqrt2_v<float> / 2), size);
    const V s = hn::Div(hn::Sub(u, K), hn::Add(u, K));
    V P = hn::Set(d, -0.000224116258F);
    for (const float c : kHighest) {
        P = hn::MulAdd(P, s, hn::Set(d, c));
    }
    V Q = hn::Set(d, 2.27352982e-09F);
    for (const float c : kSeries) {
        Q = hn::MulAdd(Q, square, hn::Set(d, c));
    }
    const V rest = hn::Mul(hn::Mul(half, P), hn::Div(power, hn::Add(one, hn::Add(u, u))));
    const V tail = hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Sub(one, rest), rest);
    return {hn::IfThenElse(hn::Lt(magnitude, one), hn::MulAdd(x, Q, half), tail),
            hn::Mul(hn::Set(d, std::numbers::inv_sqrtpi_v<float> * std::numbers::sqrt2_v<float> / 2), power)};
}

}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
