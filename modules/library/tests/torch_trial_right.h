// What the right kernels of the trial share.
#pragma once

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <string>
#include <vector>

#include "library/tests/torch_trial.h"

namespace byhand::trial {

using List = std::vector<Trial>;
using at::Tensor;

inline constexpr double kEpsilon = 1e-5;
inline const std::vector<Case> kRows = {{{1, 3}}, {{7, 27}}, {{33, 100}}};

inline std::string named(const std::string& name, int order) {
    return name + ", order " + std::to_string(order);
}

// One trial for each order and case. `make(name, order)` makes the kernel.
template <class Make>
void in_orders(List& list, const std::string& kind, const std::string& name, Make make, const Expected& expected,
               const std::vector<Case>& cases) {
    for (int order = 0; order < kOrders; ++order) {
        add(list, kind, make(named(name, order), order), expected, cases,
            std::ranges::find(kTriedOrders, order) == std::end(kTriedOrders));
    }
}

template <class T>
T largest(const T* x, std::size_t n) {
    return *std::max_element(x, x + n);
}

// Σ exp(x[j] − top).
template <class T>
T sum_of_exp(const T* x, std::size_t n, T top, int order) {
    return ordered_sum<T>(order, n, [&](std::size_t j) { return std::exp(x[j] - top); });
}
template <class T>
void softmax_row(T* y, const T* x, std::size_t n, int order) {
    const T top = largest(x, n), sum = sum_of_exp(x, n, top, order);
    for (std::size_t j = 0; j < n; ++j) {
        y[j] = std::exp(x[j] - top) / sum;
    }
}
template <class T>
T dot(const T* a, const T* b, std::size_t n, int order) {
    return ordered_sum<T>(order, n, [&](std::size_t j) { return a[j] * b[j]; });
}

// FlashAttention's form.
Kernel softmax_by_exp2(const std::string& name, int order);

// The kinds of kernels, each added to the list.
void sums(List& list);
void softmaxes(List& list);
void logarithms(List& list);
void cross_entropies(List& list);
void attention(List& list);
void norms_backward(List& list);
void norms(List& list);
void adam(List& list);
void activations(List& list);
void images(List& list);
void convolutions(List& list);

}  // namespace byhand::trial
