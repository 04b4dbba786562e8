// Layer norm (Ba, Kiros and Hinton 2016): each row by its own mean and deviation, whatever the other rows hold, then γ
// and β of each column. A row of H numbers is normalised like a column of a batch of H rows, with divisor H and ε
// inside the root, so batchnorm/formulas.h's functions do it, row by row.
//
// Shapes: x, its differences, lnraw and y are (n, H); mean and variance are (n); gain and bias are (H). What goes
// element by element or down the columns is batchnorm/formulas.h's own: forwards batchnorm_square,
// batchnorm_inverse_deviation (of n variances) and batchnorm_scale_shift, backwards batchnorm_gain_backward,
// batchnorm_bias_backward and batchnorm_raw_backward.
#pragma once

#include <cstddef>

#include "base/network.h"
#include "manual/batchnorm/formulas.h"

namespace byhand {

// ---- forward ----

// lnmean[i] = Σ_j x[i, j] / H
template <class T>
void layernorm_mean(T* lnmean, const T* x, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        batchnorm_mean(lnmean + i, x + i * H, H, 1);
    }
}

// lndiff[i, j] = x[i, j] − lnmean[i]
template <class T>
void layernorm_difference(T* lndiff, const T* x, const T* lnmean, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        batchnorm_difference(lndiff + i * H, x + i * H, lnmean + i, H, 1);
    }
}

// lnvar[i] = Σ_j lndiff2[i, j] / H
template <class T>
void layernorm_variance(T* lnvar, const T* lndiff2, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        batchnorm_variance(lnvar + i, lndiff2 + i * H, H, 1, Divisor::n);
    }
}

// lnraw[i, j] = lndiff[i, j]·lnvar_inv[i]
template <class T>
void layernorm_normalise(T* lnraw, const T* lndiff, const T* lnvar_inv, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        batchnorm_normalise(lnraw + i * H, lndiff + i * H, lnvar_inv + i, H, 1);
    }
}

// ---- backward ----

// dx[i, j] = s[i]·( dx̂[i, j] − Σ_j dx̂[i, j]/H − x̂[i, j]·Σ_j dx̂[i, j]·x̂[i, j]/H ), with dx̂ = dlnraw, x̂ = lnraw,
// s = lnvar_inv. dx may be dlnraw itself.
template <class T>
void layernorm_backward(T* dx, const T* dlnraw, const T* lnraw, const T* lnvar_inv, const T* lnvar, std::size_t n,
                        std::size_t H, double epsilon) {
    for (std::size_t i = 0; i < n; ++i) {
        batchnorm_backward(dx + i * H, dlnraw + i * H, lnraw + i * H, lnvar_inv + i, lnvar + i, H, 1, Divisor::n,
                           epsilon, EpsilonPlace::inside);
    }
}

}  // namespace byhand
