// Layer norm (Ba, Kiros and Hinton 2016): each row is normalised by its own mean and standard deviation, then scaled
// and shifted by γ and β of each column. Most of its steps are in row_norm.h; here are those of the mean, and the
// backward in one line.
//
// Shapes: x, its differences, lnraw and y are (n, H); mean, variance and its inverse root are (n). The divisor is H,
// and ε is inside the root.
#pragma once

#include <cstddef>

#include "manual/row_norm.h"

namespace byhand {

// lndiff[i, j] = x[i, j] − lnmean[i]
template <class T>
void layernorm_difference(T* lndiff, const T* x, const T* lnmean, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            lndiff[i * H + j] = x[i * H + j] - lnmean[i];
        }
    }
}

// dlnmean[i] = −Σ_j dlndiff[i, j]
template <class T>
void layernorm_mean_backward(T* dlnmean, const T* dlndiff, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        dlnmean[i] = -sum_along<T>(H, [row = dlndiff + i * H](std::size_t j) { return row[j]; });
    }
}

// dx[i, j] = dlndiff[i, j] + dlnmean[i] / H: x is used in lndiff and in lnmean
template <class T>
void layernorm_input_backward(T* dx, const T* dlndiff, const T* dlnmean, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dx[i * H + j] = dlndiff[i * H + j] + dlnmean[i] / static_cast<T>(H);
        }
    }
}

// dx[i, j] = s[i]·( dx̂[i, j] − Σ_j dx̂[i, j]/H − x̂[i, j]·Σ_j dx̂[i, j]·x̂[i, j]/H ), with dx̂ = dlnraw, x̂ = lnraw,
// s = lnvar_inv. dx may be dlnraw itself.
template <class T>
void layernorm_backward(T* dx, const T* dlnraw, const T* lnraw, const T* lnvar_inv, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        const T *d = dlnraw + i * H, *raw = lnraw + i * H;
        const T mean = sum_along<T>(H, [=](std::size_t j) { return d[j]; }) / static_cast<T>(H);
        const T slope = sum_along<T>(H, [=](std::size_t j) { return d[j] * raw[j]; }) / static_cast<T>(H);
        for (std::size_t j = 0; j < H; ++j) {
            dx[i * H + j] = lnvar_inv[i] * (d[j] - mean - slope * raw[j]);
        }
    }
}

}  // namespace byhand
