// Softplus, elementwise, a relu without its corner: Dugas et al., "Incorporating Second-Order Functional Knowledge for
// Better Option Pricing", NIPS 2000.
#pragma once

#include <cmath>
#include <cstddef>

#include "manual/sigmoid/formulas.h"

namespace byhand {

// h = ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|), which can't overflow
template <class T>
void softplus_forward(T* h, const T* x, std::size_t count) {
    using std::exp, std::log1p;
    for (std::size_t i = 0; i < count; ++i) {
        const bool negative = x[i] < T{0};
        const T rest = log1p(exp(negative ? x[i] : -x[i]));
        h[i] = negative ? rest : x[i] + rest;
    }
}

// dx = dh·σ(x): the derivative of ln(1 + e^x) is e^x/(1 + e^x). dx may be dh itself.
template <class T>
void softplus_backward(T* dx, const T* dh, const T* x, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        dx[i] = dh[i] * sigmoid(x[i]);
    }
}

}  // namespace byhand
