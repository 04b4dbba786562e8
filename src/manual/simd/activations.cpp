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

// dx = f(dh, read)
template <class Function>
HWY_INLINE void map(float* dx, const float* dh, const float* read, std::size_t count, Function f) {
    const D d;
    for (std::size_t i = 0; i < count; i += hn::Lanes(d)) {
        hn::Store(f(hn::Load(d, dh + i), hn::Load(d, read + i)), d, dx + i);
    }
}

// tanh(√(2/π)·(x + 0.044715·x³)), from x and x²
HWY_INLINE V tanh_of_cubic(V x, V square) {
    return tanh(hn::Mul(number(kGeluTanhScale), hn::MulAdd(number(kGeluTanhCubic), hn::Mul(square, x), x)));
}

void activation_forward(float* h, const float* x, std::size_t count, Activation f, float a) {
    const V zero = number(0), one = number(1), half = number(0.5), slope = number(a);
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
            map(h, x, count, [=](V v) HWY_ATTR { return hn::IfThenElse(hn::Gt(v, zero), v, hn::Mul(slope, v)); });
            break;
        case Activation::gelu:
            map(h, x, count, [](V v) HWY_ATTR { return hn::Mul(v, normal(v).share); });
            break;
        case Activation::gelu_tanh:
            map(h, x, count,
                [=](V v) HWY_ATTR { return hn::Mul(hn::Mul(half, v), hn::Add(one, tanh_of_cubic(v, hn::Mul(v, v)))); });
            break;
        case Activation::silu:
            map(h, x, count, [](V v) HWY_ATTR { return hn::Mul(v, sigmoid(v)); });
            break;
    }
}

void activation_backward(float* dx, const float* dh, const float* read, std::size_t count, Activation f, float a) {
    const V zero = number(0), one = number(1), half = number(0.5), slope = number(a);
    switch (f) {
        case Activation::tanh:
            break;
        case Activation::sigmoid:
            map(dx, dh, read, count, [=](V d, V h) HWY_ATTR { return hn::Mul(d, hn::Mul(h, hn::Sub(one, h))); });
            break;
        case Activation::relu:
            map(dx, dh, read, count, [=](V d, V h) HWY_ATTR { return hn::IfThenElseZero(hn::Gt(h, zero), d); });
            break;
        case Activation::leaky_relu:
            map(dx, dh, read, count,
                [=](V d, V x) HWY_ATTR { return hn::IfThenElse(hn::Gt(x, zero), d, hn::Mul(slope, d)); });
            break;
        case Activation::gelu:
            map(dx, dh, read, count, [](V d, V x) HWY_ATTR {
                const Normal at = normal(x);
                return hn::Mul(d, hn::MulAdd(x, at.density, at.share));
            });
            break;
        case Activation::gelu_tanh:
            map(dx, dh, read, count, [=](V d, V x) HWY_ATTR {
                const V square = hn::Mul(x, x), t = tanh_of_cubic(x, square);
                const V inside = hn::Mul(number(kGeluTanhScale), hn::MulAdd(number(3 * kGeluTanhCubic), square, one));
                const V rest = hn::Mul(hn::Mul(x, hn::NegMulAdd(t, t, one)), inside);
                return hn::Mul(d, hn::Mul(half, hn::Add(hn::Add(one, t), rest)));
            });
            break;
        case Activation::silu:
            map(dx, dh, read, count, [=](V d, V x) HWY_ATTR {
                const V s = sigmoid(x);
                return hn::Mul(d, hn::MulAdd(x, hn::Mul(s, hn::Sub(one, s)), s));
            });
            break;
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

bool is_backward_by_input(Activation f) {
    return f != Activation::tanh && f != Activation::sigmoid && f != Activation::relu;
}

void activation_forward(float* h, const float* x, std::size_t count, Activation f, float a) {
    if (f == Activation::tanh) {
        tanh_forward(h, x, count);
    } else {
        HWY_DYNAMIC_DISPATCH(activation_forward)(h, x, count, f, a);
    }
}

void activation_backward(float* dx, const float* dh, const float* read, std::size_t count, Activation f, float a) {
    if (f == Activation::tanh) {
        tanh_backward(dx, dh, read, count);
    } else {
        HWY_DYNAMIC_DISPATCH(activation_backward)(dx, dh, read, count, f, a);
    }
}

}  // namespace byhand::simd
#endif
