// Logistic regression by the functions of the network: one unit, whose loss is the cross-entropy of the logits 0 and
// x·w + b.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace byhand::lab {

struct Regression {
    std::size_t n = 0, inputs = 0;
    std::vector<double> x;        // (n, inputs)
    std::vector<std::int64_t> Y;  // (n), 0 or 1
};

// Weights are inputs + 1 numbers, the bias last.
double loss_of(const Regression& data, const std::vector<double>& weights);
std::vector<double> gradient_of(const Regression& data, const std::vector<double>& weights);

// xᵀx/n, x with a column of ones: (inputs + 1, inputs + 1).
std::vector<double> gram_matrix(const Regression& data);

// The second derivatives of the loss: Σ p·(1 − p)·xxᵀ/n.
std::vector<double> curvature(const Regression& data, const std::vector<double>& weights);

// The same rows with every column of x standardised: mean 0, deviation 1 (divisor n), but for ε.
Regression standardised(const Regression& data);

// At most so many steps of gradient descent on the first `free` weights. `watch` is called at every step, before its
// update, with the loss and the weights; false ends the descent.
void descend(const Regression& data, std::vector<double> weights, double rate, std::size_t steps, std::size_t free,
             const std::function<bool(double loss, const std::vector<double>& weights)>& watch);

// The weights of least loss, by Newton's method from 0 on. (Linearly separable rows have no least loss: then some large
// weights.)
std::vector<double> best_weights(const Regression& data);

// Of a symmetric matrix.
struct Spectrum {
    std::vector<double> values;   // falling
    std::vector<double> vectors;  // (size, size): row k belongs to values[k]; of length 1, the largest element positive
};
Spectrum spectrum_of(const std::vector<double>& matrix, std::size_t size);

// The largest over the smallest. Infinite where the smallest is not positive but for rounding: below size·2^-52 of the
// largest.
double condition_number(const std::vector<double>& matrix, std::size_t size);

}  // namespace byhand::lab
