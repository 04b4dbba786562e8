#include "manual/simd/activations.h"

#include <algorithm>
#include <iterator>

#include "base/network.h"
#include "manual/gelu/formulas.h"
#include "manual/simd/kernels.h"

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "manual/simd/activations.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "manual/simd/math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {
namespace {

HWY_INLINE V number(double x) {
    return hn::Set(D(), static_cast<float>(x));
}

// h = f(x)
template <class Function>
HWY_INLINE void map(float* h, const float* x, std::size_t count, Function f) {
    const D d;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        hn::Store(f(hn::Load(d, x + i)), d, h + i);
    }
}

// h = f(x).value, and derivative = f(x).derivative
struct Differentiated {
    V value, derivative;
};
template <class Function>
HWY_INLINE void map(float* h, float* derivative, const float* x, std::size_t count, Function f) {
    const D d;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        const Differentiated both = f(hn::Load(d, x + i));
        hn::Store(both.value, d, h + i);
        hn::Store(both.derivative, d, derivative + i);
    }
}

// x·Φ(x)
HWY_INLINE Differentiated gelu(V x) {
    const Normal at = normal(x);
    return {hn::Mul(x, at.share), hn::MulAdd(x, at.density, at.share)};
}

// ½·x·(1 + t) with t = tanh(√(2/π)·(x + 0.044715·x³))
HWY_INLINE Differentiated gelu_tanh(V x) {
    const V one = number(1), half = number(0.5), square = hn::Mul(x, x);
    const V t = tanh(hn::Mul(number(kGeluTanhScale), hn::MulAdd(number(kGeluTanhCubic), hn::Mul(square, x), x)));
    const V inside = hn::Mul(number(kGeluTanhScale), hn::MulAdd(number(3 * kGeluTanhCubic), square, one));
    const V rest = hn::Mul(hn::Mul(x, hn::NegMulAdd(t, t, one)), inside), sum = hn::Add(one, t);
    return {hn::Mul(hn::Mul(half, x), sum), hn::Mul(half, hn::Add(sum, rest))};
}

// x·s with s = 1/(1 + e^−x)
HWY_INLINE Differentiated silu(V x) {
    const V s = sigmoid(x);
    return {hn::Mul(x, s), hn::MulAdd(x, hn::Mul(s, hn::Sub(number(1), s)), s)};
}

void activation_forward(float* h, float* derivative, const float* x, std::size_t count, Activation f, float a) {
    const V zero = number(0), one = number(1), slope = number(a);
    switch (f) {
        case Activation::tanh:
            break;  // in kernels.h
        case Activation::sigmoid:
            map(h, x, count, [](V v) HWY_ATTR { return sigmoid(v); });
            break;
        case Activation::relu:
            map(h, x, count, [=](V v) HWY_ATTR { return hn::IfThenElse(hn::Lt(v, zero), zero, v); });
            break;
        case Activation::leaky_relu:
            map(h, derivative, x, count, [=](V v) HWY_ATTR {
                const auto is_above = hn::Gt(v, zero);
                return Differentiated{hn::IfThenElse(is_above, v, hn::Mul(slope, v)),
                                      hn::IfThenElse(is_above, one, slope)};
            });
            break;
        case Activation::gelu:
            map(h, derivative, x, count, [](V v) HWY_ATTR { return gelu(v); });
            break;
        case Activation::gelu_tanh:
            map(h, derivative, x, count, [](V v) HWY_ATTR { return gelu_tanh(v); });
            break;
        case Activation::silu:
            map(h, derivative, x, count, [](V v) HWY_ATTR { return silu(v); });
            break;
    }
}

// dx = dh·f(h)
template <class Function>
HWY_INLINE void multiply(float* dx, const float* dh, const float* h, std::size_t count, Function f) {
    const D d;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        hn::Store(f(hn::Load(d, dh + i), hn::Load(d, h + i)), d, dx + i);
    }
}

void activation_backward(float* dx, const float* dh, const float* h, std::size_t count, Activation f) {
    const V zero = number(0), one = number(1);
    if (f == Activation::sigmoid) {
        multiply(dx, dh, h, count, [=](V d, V v) HWY_ATTR { return hn::Mul(d, hn::Mul(v, hn::Sub(one, v))); });
    } else {
        multiply(dx, dh, h, count, [=](V d, V v) HWY_ATTR { return hn::IfThenElseZero(hn::Gt(v, zero), d); });
    }
}

}  // namespace
}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace byhand::simd {
namespace {

HWY_EXPORT(activation_forward);
HWY_EXPORT(activation_backward);

}  // namespace

std::optional<Activation> activation_of(const std::string& op) {
    // In the order of Activation.
    const auto number = std::distance(op::kActivations.begin(), std::ranges::find(op::kActivations, op));
    if (static_cast<std::size_t>(number) == op::kActivations.size()) {
        return {};
    }
    return static_cast<Activation>(number);
}

bool stores_derivative(Activation f) {
    return f != Activation::tanh && f != Activation::sigmoid && f != Activation::relu;
}

void activation_forward(float* h, float* derivative, const float* x, std::size_t count, Activation f, float a) {
    if (f == Activation::tanh) {
        tanh_forward(h, x, count);
    } else {
        HWY_DYNAMIC_DISPATCH(activation_forward)(h, derivative, x, count, f, a);
    }
}

void activation_backward(float* dx, const float* dh, const float* read, std::size_t count, Activation f) {
    if (stores_derivative(f)) {
        multiply(dx, dh, read, count);
    } else if (f == Activation::tanh) {
        tanh_backward(dx, dh, read, count);
    } else {
        HWY_DYNAMIC_DISPATCH(activation_backward)(dx, dh, read, count, f);
    }
}

}  // namespace byhand::simd
#endif
