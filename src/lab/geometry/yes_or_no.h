// One unit that answers yes or no: logistic regression, by the functions of the network. Its loss is the two-class
// cross-entropy of the logits 0 and x·w + b.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace byhand::lab {

struct YesOrNo {
    std::size_t n = 0, inputs = 0;
    std::vector<double> x;        // (n, inputs)
    std::vector<std::int64_t> Y;  // (n): 1 is yes
};

// Weights come as inputs + 1 numbers, the bias last.
double loss_of(const YesOrNo& question, const std::vector<double>& weights);
std::vector<double> gradient_of(const YesOrNo& question, const std::vector<double>& weights);

// The columns of x and one of ones: xᵀx/n, (inputs + 1, inputs + 1).
std::vector<double> gram_matrix(const YesOrNo& question);

// The second derivatives of the loss: Σ p·(1 − p)·xxᵀ/n.
std::vector<double> curvature(const YesOrNo& question, const std::vector<double>& weights);

// The same question with every column of x standardised: mean 0, deviation 1 (divisor n), but for ε.
YesOrNo standardised(const YesOrNo& question);

// Gradient descent from `weights` on, at most so many steps. Of the weights the first `free` move. `watch` is given
// the loss of every step, before its update, and the weights then; false ends it. Returns the weights at the end.
std::vector<double> descend(const YesOrNo& question, std::vector<double> weights, double rate, std::size_t steps,
                            std::size_t free,
                            const std::function<bool(double loss, const std::vector<double>& weights)>& watch);

// The weights of least loss, by Newton's method from 0 on. (Where the answers are linearly separable there are
// none: then some that are large.)
std::vector<double> best_weights(const YesOrNo& question);

}  // namespace byhand::lab
