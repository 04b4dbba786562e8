// The sigmoid, elementwise.
#pragma once

#include <cmath>
#include <cstddef>

#include "steps/value_range.h"

namespace byhand {

inline constexpr ValueRange kSigmoidRange{0, 1};

// σ(x) = 1/(1 + e^−x) = e^x/(1 + e^x): by whichever exponential can't overflow.
template <class T>
T sigmoid(T x) {
    using std::exp;
    const bool negative = x < T{0};
    const T small = exp(negative ? x : -x);  // e^−|x|
    return (negative ? small : T{1}) / (T{1} + small);
}

// h = σ(x) = 1/(1 + e^−x)
template <class T>
void sigmoid_forward(T* h, const T* x, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        h[i] = sigmoid(x[i]);
    }
}

// dx = dh·h·(1 − h), from the result: σ′ = σ·(1 − σ). dx may be dh itself.
template <class T>
void sigmoid_backward(T* dx, const T* dh, const T* h, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        dx[i] = dh[i] * (h[i] * (T{1} - h[i]));
    }
}

}  // namespace byhand
