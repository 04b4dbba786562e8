// Softmax and cross-entropy: in the small steps of part 4 of the makemore lectures, and in one formula.
//
// Shapes: logits and all elementwise results are (n, V); maxima and sums are (n); Y (n) holds the targets; the loss is
// one number, the mean over the rows of −ln probs[i, Y[i]]. Where a function takes n beside `rows`, n counts the
// rows of the batch, and `rows` those at hand: all of them, or a part, whose loss is then added to those of the other
// parts (modules/ranks/parts.h).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "manual/sums.h"
#include "steps/value_range.h"

namespace byhand {

// Ranges of restricted values. logprobs and norm_logits are not positive.
inline constexpr ValueRange kCounts{0, 1};
inline constexpr ValueRange kProbability{0x1p-126, 1};  // subnormal ones have no reciprocal in float
inline constexpr ValueRange kCountsSum{.low = 1};
inline constexpr ValueRange kCountsSumInverse{0, 1};

// ---- forward ----

// logit_maxes[i] = max_j logits[i, j]
template <class T>
void softmax_max(T* logit_maxes, const T* logits, std::size_t n, std::size_t V) {
    for (std::size_t i = 0; i < n; ++i) {
        logit_maxes[i] = *std::max_element(logits + i * V, logits + (i + 1) * V);
    }
}

// norm_logits = logits − logit_maxes: the same probabilities, and exp can't overflow
template <class T>
void softmax_shift(T* norm_logits, const T* logits, const T* logit_maxes, std::size_t n, std::size_t V) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < V; ++j) {
            norm_logits[i * V + j] = logits[i * V + j] - logit_maxes[i];
        }
    }
}

// counts = exp(norm_logits)
template <class T>
void softmax_exp(T* counts, const T* norm_logits, std::size_t count) {
    using std::exp;
    for (std::size_t i = 0; i < count; ++i) {
        counts[i] = exp(norm_logits[i]);
    }
}

// counts_sum[i] = Σ_j counts[i, j]
template <class T>
void softmax_sum(T* counts_sum, const T* counts, std::size_t n, std::size_t V) {
    for (std::size_t i = 0; i < n; ++i) {
        counts_sum[i] = sum_along<T>(V, [row = counts + i * V](std::size_t j) { return row[j]; });
    }
}

// counts_sum_inv = 1 / counts_sum
template <class T>
void softmax_inverse(T* counts_sum_inv, const T* counts_sum, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        counts_sum_inv[i] = T{1} / counts_sum[i];
    }
}

// probs = counts·counts_sum_inv: each row sums to 1
template <class T>
void softmax_normalise(T* probs, const T* counts, const T* counts_sum_inv, std::size_t n, std::size_t V) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < V; ++j) {
            probs[i * V + j] = counts[i * V + j] * counts_sum_inv[i];
        }
    }
}

// logprobs = ln probs
template <class T>
void softmax_log(T* logprobs, const T* probs, std::size_t count) {
    using std::log;
    for (std::size_t i = 0; i < count; ++i) {
        logprobs[i] = log(probs[i]);
    }
}

// loss = −Σ_i logprobs[i, Y[i]] / n
template <class T>
void negative_log_likelihood(T* loss, const T* logprobs, const std::int64_t* Y, std::size_t rows, std::size_t V,
                             std::size_t n) {
    T sum = 0;
    for (std::size_t i = 0; i < rows; ++i) {
        sum += logprobs[i * V + Y[i]];
    }
    *loss = -sum / static_cast<T>(n);
}

// ---- backward, in reverse order ----

// dlogprobs[i, j] = −1/n where j = Y[i], else 0
template <class T>
void negative_log_likelihood_backward(T* dlogprobs, const std::int64_t* Y, std::size_t rows, std::size_t V,
                                      std::size_t n) {
    std::fill_n(dlogprobs, rows * V, T{0});
    for (std::size_t i = 0; i < rows; ++i) {
        dlogprobs[i * V + Y[i]] = T{-1} / static_cast<T>(n);
    }
}

// dprobs = dlogprobs / probs
template <class T>
void softmax_log_backward(T* dprobs, const T* dlogprobs, const T* probs, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        dprobs[i] = dlogprobs[i] / probs[i];
    }
}

// dcounts_sum_inv[i] = Σ_j counts[i, j]·dprobs[i, j]
template <class T>
void softmax_inverse_of_probs_backward(T* dcounts_sum_inv, const T* dprobs, const T* counts, std::size_t n,
                                       std::size_t V) {
    for (std::size_t i = 0; i < n; ++i) {
        const T *c = counts + i * V, *dp = dprobs + i * V;
        dcounts_sum_inv[i] = sum_along<T>(V, [c, dp](std::size_t j) { return c[j] * dp[j]; });
    }
}

// dcounts_sum = −counts_sum⁻²·dcounts_sum_inv
template <class T>
void softmax_inverse_backward(T* dcounts_sum, const T* dcounts_sum_inv, const T* counts_sum, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
        dcounts_sum[i] = -dcounts_sum_inv[i] / (counts_sum[i] * counts_sum[i]);
    }
}

// dcounts = counts_sum_inv·dprobs + dcounts_sum: counts is used in probs and in counts_sum
template <class T>
void softmax_counts_backward(T* dcounts, const T* dprobs, const T* counts_sum_inv, const T* dcounts_sum, std::size_t n,
                             std::size_t V) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < V; ++j) {
            dcounts[i * V + j] = counts_sum_inv[i] * dprobs[i * V + j] + dcounts_sum[i];
        }
    }
}

// dnorm_logits = counts·dcounts: exp is its own derivative
template <class T>
void softmax_exp_backward(T* dnorm_logits, const T* dcounts, const T* counts, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        dnorm_logits[i] = counts[i] * dcounts[i];
    }
}

// dlogit_maxes[i] = −Σ_j dnorm_logits[i, j]: zero up to rounding, because the shift changes no probability
template <class T>
void softmax_max_backward(T* dlogit_maxes, const T* dnorm_logits, std::size_t n, std::size_t V) {
    softmax_sum(dlogit_maxes, dnorm_logits, n, V);
    for (std::size_t i = 0; i < n; ++i) {
        dlogit_maxes[i] = -dlogit_maxes[i];
    }
}

// dlogits = dnorm_logits, and dlogit_maxes[i] on top at the row's maximum (the first, in a tie): logits is used in
// norm_logits and in logit_maxes
template <class T>
void softmax_logits_backward(T* dlogits, const T* dnorm_logits, const T* dlogit_maxes, const T* logits, std::size_t n,
                             std::size_t V) {
    std::copy_n(dnorm_logits, n * V, dlogits);
    for (std::size_t i = 0; i < n; ++i) {
        const T* row = logits + i * V;
        dlogits[i * V + (std::max_element(row, row + V) - row)] += dlogit_maxes[i];
    }
}

// ---- both in one formula ----

// loss = Σ_i ( max_i + ln Σ_j exp(logits[i, j] − max_i) − logits[i, Y[i]] ) / n, safe for logits of any size
template <class T>
void cross_entropy_forward(T* loss, const T* logits, const std::int64_t* Y, std::size_t rows, std::size_t V,
                           std::size_t n) {
    using std::exp;
    using std::log;
    const T total = sum_along<T>(rows, [=](std::size_t i) {
        const T* row = logits + i * V;
        const T max = *std::max_element(row, row + V);
        return log(sum_along<T>(V, [=](std::size_t j) { return exp(row[j] - max); })) - (row[Y[i]] - max);
    });
    *loss = total / static_cast<T>(n);
}

// dlogits = (softmax(logits) − one-hot(Y)) / n
template <class T>
void cross_entropy_backward(T* dlogits, const T* logits, const std::int64_t* Y, std::size_t rows, std::size_t V,
                            std::size_t n) {
    using std::exp;
    for (std::size_t i = 0; i < rows; ++i) {
        const T* row = logits + i * V;
        T* drow = dlogits + i * V;
        const T max = *std::max_element(row, row + V);
        for (std::size_t j = 0; j < V; ++j) {
            drow[j] = exp(row[j] - max);
        }
        const T sum = sum_along<T>(V, [drow](std::size_t j) { return drow[j]; });
        for (std::size_t j = 0; j < V; ++j) {
            drow[j] = (drow[j] / sum - (j == static_cast<std::size_t>(Y[i]) ? T{1} : T{0})) / static_cast<T>(n);
        }
    }
}

// ---- both at once: one exponential of each logit serves the loss and its gradient ----

// loss and dlogits as above; dlogits = e^(logits − max)/(n·Σe^(logits − max)), minus 1/n at the target.
// exp_of(y, x, count) makes y = exp(x), where y may be x itself.
template <class T, class Exp>
void cross_entropy_with_gradient(T* loss, T* dlogits, const T* logits, const std::int64_t* Y, std::size_t rows,
                                 std::size_t V, std::size_t n, Exp exp_of) {
    using std::log;
    const T total = sum_along<T>(rows, [=](std::size_t i) {
        const T* row = logits + i * V;
        T* drow = dlogits + i * V;
        const T max = *std::max_element(row, row + V);
        for (std::size_t j = 0; j < V; ++j) {
            drow[j] = row[j] - max;
        }
        const T shifted_target = drow[Y[i]];
        exp_of(drow, drow, V);
        const T sum = sum_along<T>(V, [drow](std::size_t j) { return drow[j]; });
        const T scale = T{1} / (sum * static_cast<T>(n));
        for (std::size_t j = 0; j < V; ++j) {
            drow[j] *= scale;
        }
        drow[Y[i]] -= T{1} / static_cast<T>(n);
        return log(sum) - shifted_target;
    });
    *loss = total / static_cast<T>(n);
}

}  // namespace byhand
