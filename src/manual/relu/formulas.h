// ReLU and leaky ReLU, elementwise. Their derivative jumps at 0; its value there is the left one, as in LibTorch.
#pragma once

#include <cstddef>

namespace byhand {

// h = max(x, 0); a NaN stays one
template <class T>
void relu_forward(T* h, const T* x, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        h[i] = x[i] < T{0} ? T{0} : x[i];
    }
}

// dx = dh where h > 0, else 0. dx may be dh itself.
template <class T>
void relu_backward(T* dx, const T* dh, const T* h, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        dx[i] = T{0} < h[i] ? dh[i] : T{0};
    }
}

// h = x where x > 0, else a·x
template <class T>
void leaky_relu_forward(T* h, const T* x, std::size_t count, double a) {
    for (std::size_t i = 0; i < count; ++i) {
        h[i] = T{0} < x[i] ? x[i] : static_cast<T>(a) * x[i];
    }
}

// dx = dh where x > 0, else a·dh. Reads the input: with a negative a the sign of the result is not that of x. dx may be
// dh itself.
template <class T>
void leaky_relu_backward(T* dx, const T* dh, const T* x, std::size_t count, double a) {
    for (std::size_t i = 0; i < count; ++i) {
        dx[i] = T{0} < x[i] ? dh[i] : static_cast<T>(a) * dh[i];
    }
}

}  // namespace byhand
