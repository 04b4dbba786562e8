// SiLU (swish), elementwise: Elfwing et al., 2017, arxiv.org/abs/1702.03118.
#pragma once

#include <cstddef>

#include "manual/sigmoid/formulas.h"

namespace byhand {

// h = x·σ(x), σ(x) = 1/(1 + e^−x)
template <class T>
void silu_forward(T* h, const T* x, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        h[i] = x[i] * sigmoid(x[i]);
    }
}

// dx = dh·(σ + x·σ·(1 − σ)), σ = σ(x): the product rule, with σ′ = σ·(1 − σ). dx may be dh itself.
template <class T>
void silu_backward(T* dx, const T* dh, const T* x, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const T s = sigmoid(x[i]);
        dx[i] = dh[i] * (s + x[i] * (s * (T{1} - s)));
    }
}

}  // namespace byhand
