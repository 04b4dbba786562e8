// The linear layer, y = x·W + b.   x (n, in), W (in, out), b (out), y (n, out); rows are contiguous.
#pragma once

#include <algorithm>
#include <cstddef>

#include "manual/sums.h"

namespace byhand {

// y[i, j] = Σ_k x[i, k]·W[k, j]
template <class T>
void matmul_forward(T* y, const T* x, const T* W, std::size_t n, std::size_t in, std::size_t out) {
    for (std::size_t from = 0; from < out; from += kSumColumns) {  // these columns of W are reused while still in cache
        for (std::size_t i = 0; i < n; ++i) {
            const T* x_i = x + i * in;
            sum_down_columns(y + i * out + from, in, out, from,
                             [x_i, W](std::size_t k, std::size_t kj) { return x_i[k] * W[kj]; });
        }
    }
}

// y[i, j] += b[j]
template <class T>
void add_bias(T* y, const T* b, std::size_t n, std::size_t out) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < out; ++j) {
            y[i * out + j] += b[j];
        }
    }
}

// y[i, j] = Σ_k x[i, k]·W[k, j] + b[j]
template <class T>
void linear_forward(T* y, const T* x, const T* W, const T* b, std::size_t n, std::size_t in, std::size_t out) {
    matmul_forward(y, x, W, n, in, out);
    add_bias(y, b, n, out);
}

// dx = dy·Wᵀ:   dx[i, k] = Σ_j dy[i, j]·W[k, j].   The sum runs in eight lanes, which are then added in pairs.
template <class T>
void linear_input_backward(T* dx, const T* dy, const T* W, std::size_t n, std::size_t in, std::size_t out) {
    constexpr std::size_t kLanes = 8;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < in; ++k) {
            const T* dy_i = dy + i * out;
            const T* W_k = W + k * out;
            T lane[kLanes] = {};
            std::size_t j = 0;
            for (; j + kLanes <= out; j += kLanes) {
                for (std::size_t l = 0; l < kLanes; ++l) {
                    lane[l] += dy_i[j + l] * W_k[j + l];
                }
            }
            for (; j < out; ++j) {
                lane[j % kLanes] += dy_i[j] * W_k[j];
            }
            dx[i * in + k] = ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
        }
    }
}

// dW = xᵀ·dy:   dW[k, j] = Σ_i x[i, k]·dy[i, j]
template <class T>
void linear_weight_backward(T* dW, const T* x, const T* dy, std::size_t n, std::size_t in, std::size_t out) {
    for (std::size_t k = 0; k < in; ++k) {
        const T* x_k = x + k;
        sum_down(dW + k * out, n, out, [=](std::size_t i, std::size_t ij) { return x_k[i * in] * dy[ij]; });
    }
}

// db[j] = Σ_i dy[i, j]
template <class T>
void linear_bias_backward(T* db, const T* dy, std::size_t n, std::size_t out) {
    sum_rows(db, dy, n, out);
}

// Tied, the last linear multiplies by the embedding: y = x·Cᵀ + b.   x (n, E), C (V, E), b (V), y (n, V).

// y[i, v] = Σ_e x[i, e]·C[v, e]
template <class T>
void tied_matmul_forward(T* y, const T* x, const T* C, std::size_t n, std::size_t E, std::size_t V) {
    linear_input_backward(y, x, C, n, V, E);
}

// y[i, v] = Σ_e x[i, e]·C[v, e] + b[v]
template <class T>
void tied_linear_forward(T* y, const T* x, const T* C, const T* b, std::size_t n, std::size_t E, std::size_t V) {
    tied_matmul_forward(y, x, C, n, E, V);
    add_bias(y, b, n, V);
}

// dx = dy·C:   dx[i, e] = Σ_v dy[i, v]·C[v, e]
template <class T>
void tied_input_backward(T* dx, const T* dy, const T* C, std::size_t n, std::size_t E, std::size_t V) {
    matmul_forward(dx, dy, C, n, V, E);
}

// dC = dyᵀ·x:   dC[v, e] = Σ_i dy[i, v]·x[i, e]
template <class T>
void tied_weight_backward(T* dC, const T* dy, const T* x, std::size_t n, std::size_t E, std::size_t V) {
    linear_weight_backward(dC, dy, x, n, V, E);
}

}  // namespace byhand
