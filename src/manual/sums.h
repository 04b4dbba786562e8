// Sums down the rows of a batch: biases, means and variances all rest on these.
#pragma once

#include <algorithm>
#include <cstddef>

namespace byhand {

// out[j] = Σ_i x[i, j].   x (n, width), out (width).
template <class T>
void sum_rows(T* out, const T* x, std::size_t n, std::size_t width) {
    std::fill_n(out, width, T{0});
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < width; ++j) {
            out[j] += x[i * width + j];
        }
    }
}

// out[j] = Σ_i x[i, j]·y[i, j].   x and y (n, width), out (width).
template <class T>
void sum_rows_of_product(T* out, const T* x, const T* y, std::size_t n, std::size_t width) {
    std::fill_n(out, width, T{0});
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < width; ++j) {
            out[j] += x[i * width + j] * y[i * width + j];
        }
    }
}

}  // namespace byhand
