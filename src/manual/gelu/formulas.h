// GELU, elementwise, exact with erf and approximated with tanh: Hendrycks and Gimpel, 2016, arxiv.org/abs/1606.08415.
#pragma once

#include <cmath>
#include <cstddef>

#include "steps/value_range.h"

namespace byhand {

// Where x³ is a finite float; far outside, GELU is 0 or x anyway.
inline constexpr ValueRange kGeluInput{-1e12, 1e12};

inline constexpr double kSqrtHalf = 0.70710678118654752440;       // √½
inline constexpr double kGaussianPeak = 0.39894228040143267794;   // 1/√(2π)
inline constexpr double kGeluTanhScale = 0.79788456080286535588;  // √(2/π)
inline constexpr double kGeluTanhCubic = 0.044715;

// h = x·Φ(x), Φ(x) = ½·(1 + erf(x/√2)): the standard normal distribution function
template <class T>
void gelu_forward(T* h, const T* x, std::size_t count) {
    using std::erf;
    for (std::size_t i = 0; i < count; ++i) {
        h[i] = x[i] * (static_cast<T>(0.5) * (T{1} + erf(static_cast<T>(kSqrtHalf) * x[i])));
    }
}

// dx = dh·(Φ(x) + x·φ(x)), φ(x) = e^(−x²/2)/√(2π): the product rule, with Φ′ = φ. dx may be dh itself.
template <class T>
void gelu_backward(T* dx, const T* dh, const T* x, std::size_t count) {
    using std::erf, std::exp;
    for (std::size_t i = 0; i < count; ++i) {
        const T share = static_cast<T>(0.5) * (T{1} + erf(static_cast<T>(kSqrtHalf) * x[i]));
        const T density = static_cast<T>(kGaussianPeak) * exp(static_cast<T>(-0.5) * (x[i] * x[i]));
        dx[i] = dh[i] * (share + x[i] * density);
    }
}

// h = ½·x·(1 + t), t = tanh(√(2/π)·(x + 0.044715·x³))
template <class T>
void gelu_tanh_forward(T* h, const T* x, std::size_t count) {
    using std::tanh;
    for (std::size_t i = 0; i < count; ++i) {
        const T cube = x[i] * x[i] * x[i];
        const T t = tanh(static_cast<T>(kGeluTanhScale) * (x[i] + static_cast<T>(kGeluTanhCubic) * cube));
        h[i] = static_cast<T>(0.5) * x[i] * (T{1} + t);
    }
}

// dx = dh·½·(1 + t + x·(1 − t²)·√(2/π)·(1 + 3·0.044715·x²)), t as above. dx may be dh itself.
template <class T>
void gelu_tanh_backward(T* dx, const T* dh, const T* x, std::size_t count) {
    using std::tanh;
    for (std::size_t i = 0; i < count; ++i) {
        const T square = x[i] * x[i], scale = static_cast<T>(kGeluTanhScale);
        const T t = tanh(scale * (x[i] + static_cast<T>(kGeluTanhCubic) * (square * x[i])));
        const T slope = scale * (T{1} + static_cast<T>(3 * kGeluTanhCubic) * square);
        dx[i] = dh[i] * (static_cast<T>(0.5) * ((T{1} + t) + x[i] * (T{1} - t * t) * slope));
    }
}

}  // namespace byhand
