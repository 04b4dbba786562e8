// The steps common to layer norm and RMS norm: statistics per row, gain and bias per column.
//
// Shapes: matrices are (n, H); values per row are (n), values per column (H).
#pragma once

#include <cmath>
#include <cstddef>

#include "manual/batchnorm/formulas.h"
#include "manual/sums.h"

namespace byhand {

// ---- forward ----

// mean[i] = Σ_j x[i, j] / H
template <class T>
void row_mean(T* mean, const T* x, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        mean[i] = sum_along<T>(H, [row = x + i * H](std::size_t j) { return row[j]; }) / static_cast<T>(H);
    }
}

// square = x²
template <class T>
void row_square(T* square, const T* x, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        square[i] = x[i] * x[i];
    }
}

// inverse[i] = 1/√(mean_square[i] + ε)
template <class T>
void row_inverse_root(T* inverse, const T* mean_square, std::size_t n, double epsilon) {
    using std::sqrt;
    for (std::size_t i = 0; i < n; ++i) {
        inverse[i] = T{1} / sqrt(mean_square[i] + static_cast<T>(epsilon));
    }
}

// raw[i, j] = x[i, j]·inverse[i]
template <class T>
void row_normalise(T* raw, const T* x, const T* inverse, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            raw[i * H + j] = x[i * H + j] * inverse[i];
        }
    }
}

// y[i, j] = gain[j]·raw[i, j]
template <class T>
void row_norm_scale(T* y, const T* raw, const T* gain, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            y[i * H + j] = gain[j] * raw[i * H + j];
        }
    }
}

// ---- backward, in reverse order ----

// dinverse[i] = Σ_j draw[i, j]·x[i, j]
template <class T>
void row_normalise_backward(T* dinverse, const T* draw, const T* x, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        dinverse[i] = sum_along<T>(H, [d = draw + i * H, row = x + i * H](std::size_t j) { return d[j] * row[j]; });
    }
}

// dmean_square[i] = −½·(mean_square[i] + ε)^(−3/2)·dinverse[i]
template <class T>
void row_inverse_root_backward(T* dmean_square, const T* dinverse, const T* mean_square, std::size_t n,
                               double epsilon) {
    using std::sqrt;
    for (std::size_t i = 0; i < n; ++i) {
        const T root = sqrt(mean_square[i] + static_cast<T>(epsilon));
        dmean_square[i] = -T{0.5} / (root * root * root) * dinverse[i];
    }
}

// dx[i, j] = dmean[i] / H
template <class T>
void row_mean_backward(T* dx, const T* dmean, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dx[i * H + j] = dmean[i] / static_cast<T>(H);
        }
    }
}

// dx[i, j] = inverse[i]·draw[i, j] + 2·x[i, j]·dsquare[i, j]: x is used in the normalised value and in its square
template <class T>
void row_square_backward(T* dx, const T* draw, const T* inverse, const T* dsquare, const T* x, std::size_t n,
                         std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            const std::size_t at = i * H + j;
            dx[at] = inverse[i] * draw[at] + T{2} * x[at] * dsquare[at];
        }
    }
}

}  // namespace byhand
