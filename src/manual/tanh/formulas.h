// The non-linearity, elementwise.
#pragma once

#include <cmath>
#include <cstddef>

#include "steps/value_range.h"

namespace byhand {

inline constexpr ValueRange kTanhRange{-1, 1};

// h = tanh(x)
template <class T>
void tanh_forward(T* h, const T* x, std::size_t count) {
    using std::tanh;
    for (std::size_t i = 0; i < count; ++i) {
        h[i] = tanh(x[i]);
    }
}

// dx = dh·(1 − h²), from the result rather than the input: tanh′(x) = 1 − tanh²(x). dx may be dh itself.
template <class T>
void tanh_backward(T* dx, const T* dh, const T* h, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        dx[i] = dh[i] * (T{1} - h[i] * h[i]);
    }
}

}  // namespace byhand
