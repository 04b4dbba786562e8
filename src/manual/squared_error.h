// Half a squared error between softmax's probabilities and the one-hot targets: the start of note 1. Only the lab
// trains with it.
//
// Shapes: probs, logits and their gradients are (n, V); Y (n) holds the targets, one-hot(Y)[i, j] is 1 where j = Y[i],
// else 0. The loss is the mean over the rows, as in cross-entropy; note 1 takes the sum, n times as much.
#pragma once

#include <cstddef>
#include <cstdint>

#include "manual/sums.h"

namespace byhand {

// loss = ½·Σ_ij (probs[i, j] − one-hot(Y)[i, j])² / n
template <class T>
void squared_error_forward(T* loss, const T* probs, const std::int64_t* Y, std::size_t n, std::size_t V) {
    const T total = sum_along<T>(n, [=](std::size_t i) {
        return sum_along<T>(V, [row = probs + i * V, target = static_cast<std::size_t>(Y[i])](std::size_t j) {
            const T e = row[j] - (j == target ? T{1} : T{0});
            return e * e;
        });
    });
    *loss = total / static_cast<T>(2 * n);
}

// dprobs = (probs − one-hot(Y)) / n
template <class T>
void squared_error_backward(T* dprobs, const T* probs, const std::int64_t* Y, std::size_t n, std::size_t V) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < V; ++j) {
            const T right = j == static_cast<std::size_t>(Y[i]) ? T{1} : T{0};
            dprobs[i * V + j] = (probs[i * V + j] - right) / static_cast<T>(n);
        }
    }
}

// dlogits[i, j] = probs[i, j]·(dprobs[i, j] − Σ_k probs[i, k]·dprobs[i, k]): softmax's Jacobian, for any dprobs
template <class T>
void softmax_backward(T* dlogits, const T* dprobs, const T* probs, std::size_t n, std::size_t V) {
    for (std::size_t i = 0; i < n; ++i) {
        const T *p = probs + i * V, *dp = dprobs + i * V;
        const T mean = sum_along<T>(V, [p, dp](std::size_t j) { return p[j] * dp[j]; });
        for (std::size_t j = 0; j < V; ++j) {
            dlogits[i * V + j] = p[j] * (dp[j] - mean);
        }
    }
}

}  // namespace byhand
