// Gradient descent, and the optimizers' transformations of a gradient before it. SGD with momentum and Nesterov's
// look-ahead as Sutskever, Martens, Dahl and Hinton (2013) in PyTorch's form, with the rate outside the average; AdamW
// as Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), Algorithm 2, with λ times the learning rate.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace byhand {

// new_p = p − rate·dp.   rate is one number.
template <class T>
void descend(T* new_p, const T* p, const T* dp, const T* rate, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        new_p[i] = p[i] - *rate * dp[i];
    }
}

// new_l2grad = dp + λ·p: the gradient of loss + λ/2·p².
template <class T>
void l2_gradient(T* new_l2grad, const T* dp, const T* p, std::size_t count, double decay) {
    for (std::size_t i = 0; i < count; ++i) {
        new_l2grad[i] = dp[i] + static_cast<T>(decay) * p[i];
    }
}

// new_momentum = μ·momentum + g.   g is the gradient, with λ·p if there is weight decay; not multiplied by 1 − μ.
template <class T>
void momentum_update(T* new_momentum, const T* momentum, const T* g, std::size_t count, double mu) {
    for (std::size_t i = 0; i < count; ++i) {
        new_momentum[i] = static_cast<T>(mu) * momentum[i] + g[i];
    }
}

// new_lookahead = g + μ·new_momentum: the gradient plus the next step of the momentum.
template <class T>
void nesterov_lookahead(T* new_lookahead, const T* g, const T* new_momentum, std::size_t count, double mu) {
    for (std::size_t i = 0; i < count; ++i) {
        new_lookahead[i] = g[i] + static_cast<T>(mu) * new_momentum[i];
    }
}

// new_step_count = step_count + 1: the first step's is 1. In float it stops at 2^24, where both β^t are 0.
template <class T>
void step_counted(T* new_step_count, const T* step_count) {
    *new_step_count = *step_count + static_cast<T>(1);
}

// new_correction = 1 − β^t.   t is new_step_count. As −expm1(t·ln β), which keeps the digits that 1 − β^t would lose.
template <class T>
void bias_correction(T* new_correction, const T* t, double beta) {
    using std::expm1;
    constexpr double kSmallest = 1e-300;  // for β = 0, ln β is not finite; β^t is 0 with this too
    *new_correction = -expm1(static_cast<T>(std::log(std::max(beta, kSmallest))) * *t);
}

// new_exp_avg = β1·exp_avg + (1 − β1)·dp
template <class T>
void moment_mean(T* new_exp_avg, const T* exp_avg, const T* dp, std::size_t count, double beta1) {
    for (std::size_t i = 0; i < count; ++i) {
        new_exp_avg[i] = static_cast<T>(beta1) * exp_avg[i] + static_cast<T>(1 - beta1) * dp[i];
    }
}

// new_exp_avg_sq = β2·exp_avg_sq + (1 − β2)·dp²
template <class T>
void moment_square(T* new_exp_avg_sq, const T* exp_avg_sq, const T* dp, std::size_t count, double beta2) {
    for (std::size_t i = 0; i < count; ++i) {
        new_exp_avg_sq[i] = static_cast<T>(beta2) * exp_avg_sq[i] + static_cast<T>(1 - beta2) * dp[i] * dp[i];
    }
}

// new_mhat = new_exp_avg / (1 − β1^t), and new_vhat = new_exp_avg_sq / (1 − β2^t): the weights in an average
// that starts at 0 sum to 1 − β^t.
template <class T>
void moment_unbiased(T* new_hat, const T* new_average, const T* new_correction, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        new_hat[i] = new_average[i] / *new_correction;
    }
}

// new_p = (1 − rate·λ)·p − rate·new_mhat/(√new_vhat + ε): the decay does not pass through the averages.
template <class T>
void adamw_descend(T* new_p, const T* p, const T* new_mhat, const T* new_vhat, const T* rate, std::size_t count,
                   double decay, double epsilon) {
    using std::sqrt;
    const T kept = static_cast<T>(1) - *rate * static_cast<T>(decay);
    for (std::size_t i = 0; i < count; ++i) {
        new_p[i] = kept * p[i] - *rate * (new_mhat[i] / (sqrt(new_vhat[i]) + static_cast<T>(epsilon)));
    }
}

}  // namespace byhand
