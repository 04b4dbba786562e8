#include <iterator>
#include <map>

#include "fast/simd/kernels.h"
#include "manual/gelu/formulas.h"

// Compiled once for each vector type; HWY_DYNAMIC_DISPATCH below selects the best one for the CPU. foreach_target must
// precede highway, despite the alphabetical order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fast/simd/activations.cpp"  // NOLINT
// clang-format off
#include <hwy/foreach_target.h>  // IWYU pragma: keep
#include "fast/simd/math-inl.h"
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

// h = f(x), and its derivative: f(x, derivative) replaces an array of vectors x. Four at once, then one by one.
template <class Function>
HWY_INLINE void map(float* h, float* derivative, const float* x, std::size_t count, Function f) {
    const D d;
    const std::size_t N = hn::Lanes(d);
    const auto go_on = [&](std::size_t i, auto& values, auto& slopes) HWY_ATTR {
        const std::size_t vectors = std::size(values);
        for (; i + (vectors - 1) * N < count; i += vectors * N) {
            for (std::size_t v = 0; v < vectors; ++v) {
                values[v] = hn::Load(d, x + i + v * N);
            }
            f(values, slopes);
            for (std::size_t v = 0; v < vectors; ++v) {
                hn::Store(values[v], d, h + i + v * N);
                hn::Store(slopes[v], d, derivative + i + v * N);
            }
        }
        return i;
    };
    V several[4], their_slopes[4], one[1], its_slope[1];
    go_on(go_on(0, several, their_slopes), one, its_slope);
}

// x·Φ(x)
#if HWY_MAX_BYTES == 64
template <std::size_t kVectors>
HWY_INLINE void gelu(V (&x)[kVectors], V (&derivative)[kVectors]) {
    const V half = number(0.5);
    V share[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
        share[v] = derivative[v] = x[v];
    }
    look_up(share, kNormalTable);
    look_up(derivative, kGeluSlopeTable);
    for (std::size_t v = 0; v < kVectors; ++v) {
        x[v] = hn::Mul(x[v], hn::Add(half, share[v]));
        derivative[v] = hn::Add(half, derivative[v]);
    }
}
#else
template <std::size_t kVectors>
HWY_INLINE void gelu(V (&x)[kVectors], V (&derivative)[kVectors]) {
    for (std::size_t v = 0; v < kVectors; ++v) {
        const Normal at = normal(x[v]);
        derivative[v] = hn::MulAdd(x[v], at.density, at.share);
        x[v] = hn::Mul(x[v], at.share);
    }
}
#endif

// ½·x·(1 + t) with t = tanh(√(2/π)·(x + 0.044715·x³))
template <std::size_t kVectors>
HWY_INLINE void gelu_tanh(V (&x)[kVectors], V (&derivative)[kVectors]) {
    const V one = number(1), half = number(0.5), scale = number(kGeluTanhScale);
    V t[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) {
        const V square = hn::Mul(x[v], x[v]);
        t[v] = hn::Mul(scale, hn::MulAdd(number(kGeluTanhCubic), hn::Mul(square, x[v]), x[v]));
        derivative[v] = hn::Mul(scale, hn::MulAdd(number(3 * kGeluTanhCubic), square, one));  // of the inside
    }
    tanh(t);
    for (std::size_t v = 0; v < kVectors; ++v) {
        const V rest = hn::Mul(hn::Mul(x[v], hn::NegMulAdd(t[v], t[v], one)), derivative[v]);
        const V sum = hn::Add(one, t[v]);
        derivative[v] = hn::Mul(half, hn::Add(sum, rest));
        x[v] = hn::Mul(hn::Mul(half, x[v]), sum);
    }
}

// x·s with s = 1/(1 + e^−x)
template <std::size_t kVectors>
HWY_INLINE void silu(V (&x)[kVectors], V (&derivative)[kVectors]) {
    for (std::size_t v = 0; v < kVectors; ++v) {
        const V s = sigmoid(x[v]);
        derivative[v] = hn::MulAdd(x[v], hn::Mul(s, hn::Sub(number(1), s)), s);
        x[v] = hn::Mul(x[v], s);
    }
}

// x where it is above 0, else slope·x
template <std::size_t kVectors>
HWY_INLINE void leaky_relu(V (&x)[kVectors], V (&derivative)[kVectors], V slope) {
    for (std::size_t v = 0; v < kVectors; ++v) {
        const auto is_above = hn::Gt(x[v], number(0));
        derivative[v] = hn::IfThenElse(is_above, number(1), slope);
        x[v] = hn::IfThenElse(is_above, x[v], hn::Mul(slope, x[v]));
    }
}

void activation_forward(float* h, float* derivative, const float* x, std::size_t count, Activation f, float a) {
    const V zero = number(0), slope = number(a);
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
            map(h, derivative, x, count, [=](auto& v, auto& slopes) HWY_ATTR { leaky_relu(v, slopes, slope); });
            break;
        case Activation::gelu:
            map(h, derivative, x, count, [](auto& v, auto& slopes) HWY_ATTR { gelu(v, slopes); });
            break;
        case Activation::gelu_tanh:
            map(h, derivative, x, count, [](auto& v, auto& slopes) HWY_ATTR { gelu_tanh(v, slopes); });
            break;
        case Activation::silu:
            map(h, derivative, x, count, [](auto& v, auto& slopes) HWY_ATTR { silu(v, slopes); });
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
    static const std::map<std::string, Activation> kKernels = {
        {"tanh", Activation::tanh}, {"sigmoid", Activation::sigmoid},     {"relu", Activation::relu},
        {"gelu", Activation::gelu}, {"gelu_tanh", Activation::gelu_tanh}, {"leaky_relu", Activation::leaky_relu},
        {"silu", Activation::silu}};
    const auto found = kKernels.find(op);
    return found != kKernels.end() ? std::optional(found->second) : std::nullopt;
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
