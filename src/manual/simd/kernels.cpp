#include "manual/simd/kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

// This file is compiled once for every kind of vector; HWY_DYNAMIC_DISPATCH below picks the best one the CPU has.
// foreach_target comes before highway, whatever the alphabet says.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manual/simd/kernels.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
using M = hn::Mask<D>;

// The first lanes of a vector: those that lie inside an array.
struct Lanes {
    std::size_t count;
    M mask;

    explicit Lanes(std::size_t left) : count(std::min(left, hn::Lanes(D()))), mask(hn::FirstN(D(), count)) {}
};

// Not every kind of vector can leave memory alone where a mask says so. (AVX2 can for floats, if not for bytes.)
#if HWY_MEM_OPS_MIGHT_FAULT && HWY_TARGET != HWY_AVX2
constexpr bool kMasksAreSafe = false;
#else
constexpr bool kMasksAreSafe = true;
#endif

// They alone are read, the others are 0.
HWY_INLINE V load(const Lanes& lanes, const float* p) {
    const D d;
    if (kMasksAreSafe) {
        return hn::MaskedLoad(lanes.mask, d, p);
    }
    if (lanes.count < hn::Lanes(d)) {
        HWY_ALIGN float copy[hn::MaxLanes(D())] = {};
        std::copy_n(p, lanes.count, copy);
        return hn::Load(d, copy);
    }
    return hn::LoadU(d, p);
}

// They alone are written.
HWY_INLINE void store(V v, const Lanes& lanes, float* p) {
    const D d;
    if (kMasksAreSafe) {
        hn::BlendedStore(v, lanes.mask, d, p);
    } else if (lanes.count < hn::Lanes(d)) {
        HWY_ALIGN float copy[hn::MaxLanes(D())];
        hn::Store(v, d, copy);
        std::copy_n(copy, lanes.count, p);
    } else {
        hn::StoreU(v, d, p);
    }
}

// out = f(in), vector by vector, the last one masked.
template <class Function>
void map(float* out, const float* in, std::size_t count, Function f) {
    const D d;
    const std::size_t N = hn::Lanes(d);
    std::size_t i = 0;
    for (; i + N <= count; i += N) {
        hn::StoreU(f(d, hn::LoadU(d, in + i)), d, out + i);
    }
    if (i < count) {
        const Lanes rest(count - i);
        store(f(d, load(rest, in + i)), rest, out + i);
    }
}

// a + b·x + c·x² + d·x³ + e·x⁴
HWY_INLINE V polynomial(V x, float a, float b, float c, float d, float e) {
    const D tag;
    V sum = hn::MulAdd(hn::Set(tag, e), x, hn::Set(tag, d));
    sum = hn::MulAdd(sum, x, hn::Set(tag, c));
    sum = hn::MulAdd(sum, x, hn::Set(tag, b));
    return hn::MulAdd(sum, x, hn::Set(tag, a));
}

// 1/(e^y + 1) for 0 ≤ y ≤ 20, as a number and what it lacks as a share of itself.
//
// e^y = 2ⁿ·(1 + p) with y = n·ln 2 + r and p = r + r²·P(r). What is lost as 1 + p and then e^y + 1 are rounded is kept
// beside them, and goes into the residue of the division: that is a step of Newton's for what the rounding left.
struct Sigmoid {
    V value, lacks;
};
HWY_INLINE Sigmoid sigmoid_of_minus(V y) {
    const D d;
    const hn::RebindToSigned<D> bits;
    const V one = hn::Set(d, 1.0F);
    // Numbers as large as 1.5·2²³ have no places after the point, so that adding it rounds; with 127 on top the last
    // bits are the exponent field of 2ⁿ.
    const V large = hn::Set(d, 0x1.8p23F + 127);
    const V shifted = hn::MulAdd(y, hn::Set(d, 0x1.715476p+0F), large);  // log₂ e
    const V n = hn::Sub(shifted, large);
    // ln 2 in two pieces: n times the first is exact.
    const V r = hn::NegMulAdd(n, hn::Set(d, -0x1.bd0106p-13F), hn::NegMulAdd(n, hn::Set(d, 0x1.63p-1F), y));
    // The least |error| of (e^r − 1 − r)/r² on ±½·ln 2 that the degree allows (Remez): 0.05 units of 2⁻²⁴ in e^r.
    const V P = polynomial(r, 0.50000001F, 0.16666518F, 0.041666204F, 0.0083689535F, 0.0013950603F);
    const V p = hn::MulAdd(hn::Mul(r, r), P, r);
    const V power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(bits, shifted)));
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
    const V size = hn::Min(hn::Abs(x), hn::Set(d, 10.0F));  // from 9.02 on it is 1
    const V x2 = hn::Mul(x, x);
    // As above, for (tanh(x) − x)/x³ up to the border: 0.04 units.
    const V P = polynomial(x2, -0.333333F, 0.13331958F, -0.053786684F, 0.020805385F, -0.0059058687F);
    const V near = hn::MulAdd(hn::Mul(x2, x), P, x);
    const Sigmoid s = sigmoid_of_minus(hn::Add(size, size));
    const V twice = hn::Add(s.value, s.value), high = hn::Sub(one, twice);
    const V low = hn::NegMulAdd(twice, s.lacks, hn::Sub(hn::Sub(one, high), twice));
    const V h = hn::IfThenElse(hn::Lt(size, border), near, hn::Add(high, low));
    return hn::IfThenElse(hn::IsNaN(x), x, hn::CopySign(h, x));  // −0 as well
}

void tanh_forward(float* h, const float* x, std::size_t count) {
    map(h, x, count, [](D, V v) HWY_ATTR { return tanh(v); });
}

// Highway's Exp makes 0 of NaN, and of x > 177 anything at all: e^89 is infinite already.
HWY_INLINE V exp(V x) {
    const D d;
    return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, hn::Min(x, hn::Set(d, 89.0F))));
}

void exp_forward(float* y, const float* x, std::size_t count) {
    map(y, x, count, [](D, V v) HWY_ATTR { return exp(v); });
}

// Calls visit(at, is) for each vector of row i: where it begins, and which of its lanes are the matrix's own.
template <class Visit>
HWY_INLINE void for_each_vector(const Panels& matrix, std::size_t i, Visit visit) {
    const D d;
    for (const Panel& p : matrix.panels) {
        const std::size_t row = matrix.rows * p.from + i * p.width;
        for (std::size_t j = 0; j < p.width; j += hn::Lanes(d)) {
            visit(row + j, hn::FirstN(d, p.used - std::min(p.used, j)));
        }
    }
}

void cross_entropy_with_gradient(float* losses, float* dlogits, const Panels& logits, const std::int64_t* Y,
                                 const Rows& rows) {
    const D d;
    const auto n = static_cast<float>(logits.rows);
    const V nothing = hn::Set(d, -std::numeric_limits<float>::infinity());
    for (std::size_t i = rows.first; i < rows.last; ++i) {
        V largest = nothing;
        for_each_vector(logits, i, [&](std::size_t at, M own) HWY_ATTR {
            largest = hn::Max(hn::IfThenElse(own, hn::Load(d, logits.data + at), nothing), largest);
        });
        const V max = hn::MaxOfLanes(d, largest);
        V sums = hn::Zero(d);
        for_each_vector(logits, i, [&](std::size_t at, M own) HWY_ATTR {
            const V e = hn::IfThenElseZero(own, exp(hn::Sub(hn::Load(d, logits.data + at), max)));
            hn::Store(e, d, dlogits + at);
            sums = hn::Add(sums, e);
        });
        const float sum = hn::GetLane(hn::SumOfLanes(d, sums));
        const V scale = hn::Set(d, 1.0F / (sum * n));
        for_each_vector(logits, i, [&](std::size_t at, M) HWY_ATTR {
            hn::Store(hn::Mul(hn::Load(d, dlogits + at), scale), d, dlogits + at);
        });
        const std::size_t answer = place(logits, i, static_cast<std::size_t>(Y[i]));
        dlogits[answer] -= 1.0F / n;
        losses[i] = std::log(sum) - (logits.data[answer] - hn::GetLane(max));
    }
}

void tanh_backward(float* dx, const float* dh, const float* h, std::size_t count) {
    const D d;
    const V one = hn::Set(d, 1.0F);
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        const V t = hn::Load(d, h + i);
        hn::Store(hn::Mul(hn::Load(d, dh + i), hn::Sub(one, hn::Mul(t, t))), d, dx + i);
    }
}

void descend(float* new_p, const float* p, const float* dp, float rate, std::size_t count) {
    const D d;
    const V by = hn::Set(d, rate);
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        hn::Store(hn::Sub(hn::Load(d, p + i), hn::Mul(by, hn::Load(d, dp + i))), d, new_p + i);
    }
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(tanh_forward);
HWY_EXPORT(exp_forward);
HWY_EXPORT(cross_entropy_with_gradient);
HWY_EXPORT(tanh_backward);
HWY_EXPORT(descend);

}  // namespace

void tanh_forward(float* h, const float* x, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(tanh_forward)(h, x, count);
}

void exp_forward(float* y, const float* x, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(exp_forward)(y, x, count);
}

void cross_entropy_with_gradient(float* losses, float* dlogits, const Panels& logits, const std::int64_t* Y,
                                 const Rows& rows) {
    HWY_DYNAMIC_DISPATCH(cross_entropy_with_gradient)(losses, dlogits, logits, Y, rows);
}

void tanh_backward(float* dx, const float* dh, const float* h, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(tanh_backward)(dx, dh, h, count);
}

void descend(float* new_p, const float* p, const float* dp, float rate, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(descend)(new_p, p, dp, rate, count);
}

}  // namespace byhand::simd
#endif
