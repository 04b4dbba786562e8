// Kernels that people write, each right and with mistakes that people make.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace byhand::example {

// The mistakes, as a template's argument; `none` is the right kernel.
enum class Wrong {
    none,
    // layer norm
    variance_by_n_minus_1,
    epsilon_outside,
    no_mean_term,
    gain_left_out,
    sums_not_cleared,
    bias_by_row,
    // attention softmax
    maximum_from_zero,
    mask_after_softmax,
    no_dot_term,
    scale_left_out,
    // rotary embedding
    sine_sign,
    halves_for_pairs,
    position_from_one,
    // linear and GELU
    tanh_for_erf,
    bias_after_gelu,
    derivative_without_density,
    last_row_left_out,
    // int8
    scale_of_row,
    zero_point_left_out,
    unsigned_weights,
};

inline constexpr double kEpsilon = 1e-5;

// y (n, c) = (x − mean)/√(variance + ε)·gain + bias, over each row.
template <class T, Wrong wrong = Wrong::none>
void layernorm_forward(T* y, const T* x, const T* gain, const T* bias, std::size_t n, std::size_t c) {
    using std::sqrt;
    for (std::size_t i = 0; i < n; ++i) {
        const T* row = x + i * c;
        T mean = 0, variance = 0;
        for (std::size_t j = 0; j < c; ++j) {
            mean += row[j];
        }
        mean /= T(c);
        for (std::size_t j = 0; j < c; ++j) {
            variance += (row[j] - mean) * (row[j] - mean);
        }
        variance /= T(wrong == Wrong::variance_by_n_minus_1 && c > 1 ? c - 1 : c);
        const T inverse = wrong == Wrong::epsilon_outside ? T(1) / (sqrt(variance) + T(kEpsilon))
                                                          : T(1) / sqrt(variance + T(kEpsilon));
        for (std::size_t j = 0; j < c; ++j) {
            y[i * c + j] = (row[j] - mean) * inverse * gain[j] + bias[wrong == Wrong::bias_by_row ? i % c : j];
        }
    }
}

// With the mean and the inverse deviation (n) that the forward pass has saved.
template <class T, Wrong wrong = Wrong::none>
void layernorm_backward(T* dx, T* dgain, T* dbias, const T* dy, const T* x, const T* gain, const T* mean,
                        const T* inverse, std::size_t n, std::size_t c) {
    if (wrong != Wrong::sums_not_cleared) {
        std::fill(dgain, dgain + c, T(0));
        std::fill(dbias, dbias + c, T(0));
    }
    for (std::size_t i = 0; i < n; ++i) {
        const T *row = x + i * c, *drow = dy + i * c;
        T sum = 0, dot = 0;
        for (std::size_t j = 0; j < c; ++j) {
            const T norm = (row[j] - mean[i]) * inverse[i];
            const T dnorm = wrong == Wrong::gain_left_out ? drow[j] : drow[j] * gain[j];
            dgain[j] += drow[j] * norm;
            dbias[j] += drow[j];
            sum += dnorm;
            dot += dnorm * norm;
        }
        sum /= T(c);
        dot /= T(c);
        for (std::size_t j = 0; j < c; ++j) {
            const T norm = (row[j] - mean[i]) * inverse[i];
            const T dnorm = wrong == Wrong::gain_left_out ? drow[j] : drow[j] * gain[j];
            dx[i * c + j] = inverse[i] * (dnorm - (wrong == Wrong::no_mean_term ? T(0) : sum) - norm * dot);
        }
    }
}

// Attention with a causal mask: probs (n, n) is the softmax of row i of scores/√n over the columns up to i, and 0
// beyond.
template <class T, Wrong wrong = Wrong::none>
void causal_softmax(T* probs, const T* scores, std::size_t n) {
    using std::exp;
    using std::sqrt;
    const T scale = wrong == Wrong::scale_left_out ? T(1) : T(1) / sqrt(T(n));
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t last = wrong == Wrong::mask_after_softmax ? n - 1 : i;
        T largest = wrong == Wrong::maximum_from_zero ? T(0) : scores[i * n] * scale;
        for (std::size_t j = 0; j <= last; ++j) {
            const T score = scores[i * n + j] * scale;
            largest = largest < score ? score : largest;
        }
        T sum = 0;
        for (std::size_t j = 0; j <= last; ++j) {
            probs[i * n + j] = exp(scores[i * n + j] * scale - largest);
            sum += probs[i * n + j];
        }
        for (std::size_t j = 0; j < n; ++j) {
            probs[i * n + j] = j <= i ? probs[i * n + j] / sum : T(0);
        }
    }
}

// dscores, with the probs that the forward pass has saved.
template <class T, Wrong wrong = Wrong::none>
void causal_softmax_backward(T* dscores, const T* dprobs, const T* probs, std::size_t n) {
    using std::sqrt;
    const T scale = wrong == Wrong::scale_left_out ? T(1) : T(1) / sqrt(T(n));
    for (std::size_t i = 0; i < n; ++i) {
        T dot = 0;
        for (std::size_t j = 0; j < n; ++j) {
            dot += dprobs[i * n + j] * probs[i * n + j];
        }
        for (std::size_t j = 0; j < n; ++j) {
            dscores[i * n + j] =
                probs[i * n + j] * (dprobs[i * n + j] - (wrong == Wrong::no_dot_term ? T(0) : dot)) * scale;
        }
    }
}

// Rotary position embedding: in row i, columns j and j + c/2 are a pair that turns by the angle i·10000^(−2j/c).
// x is (n, c), c even.
template <class T, Wrong wrong = Wrong::none>
void rotary_backward(T* dx, const T* dy, std::size_t n, std::size_t c) {
    const std::size_t half = c / 2;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < half; ++j) {
            const double angle = static_cast<double>(wrong == Wrong::position_from_one ? i + 1 : i) *
                                 std::pow(1e4, -2.0 * static_cast<double>(j) / static_cast<double>(c));
            const T cosine = T(std::cos(angle));
            const T sine = T(wrong == Wrong::sine_sign ? -std::sin(angle) : std::sin(angle));
            const std::size_t a = i * c + (wrong == Wrong::halves_for_pairs ? 2 * j : j);
            const std::size_t b = wrong == Wrong::halves_for_pairs ? a + 1 : a + half;
            dx[a] = dy[a] * cosine + dy[b] * sine;
            dx[b] = dy[b] * cosine - dy[a] * sine;
        }
    }
}

// y (n, m) = gelu(x·W + b), x (n, k), W (k, m).
template <class T, Wrong wrong = Wrong::none>
void linear_gelu(T* y, const T* x, const T* W, const T* b, std::size_t n, std::size_t k, std::size_t m) {
    using std::erf;
    using std::tanh;
    const std::size_t rows = wrong == Wrong::last_row_left_out && n > 16 ? n - n % 16 : n;
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < m; ++j) {
            T z = wrong == Wrong::bias_after_gelu ? T(0) : b[j];
            for (std::size_t l = 0; l < k; ++l) {
                z += x[i * k + l] * W[l * m + j];
            }
            const T half = T(0.5) * z;
            if (wrong == Wrong::tanh_for_erf) {
                y[i * m + j] = half * (T(1) + tanh(T(0.79788456080286536) * (z + T(0.044715) * z * z * z)));
            } else {
                y[i * m + j] = half * (T(1) + erf(z * T(0.70710678118654752)));
            }
            if (wrong == Wrong::bias_after_gelu) {
                y[i * m + j] += b[j];
            }
        }
    }
}

// dx, dW and db.
template <class T, Wrong wrong = Wrong::none>
void linear_gelu_backward(T* dx, T* dW, T* db, const T* dy, const T* x, const T* W, const T* b, std::size_t n,
                          std::size_t k, std::size_t m) {
    using std::erf;
    using std::exp;
    std::vector<T> dz(n * m);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < m; ++j) {
            T z = b[j];
            for (std::size_t l = 0; l < k; ++l) {
                z += x[i * k + l] * W[l * m + j];
            }
            const T below = T(0.5) * (T(1) + erf(z * T(0.70710678118654752)));
            const T density = T(0.39894228040143268) * exp(T(-0.5) * z * z);
            dz[i * m + j] = dy[i * m + j] * (wrong == Wrong::derivative_without_density ? below : below + z * density);
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t l = 0; l < k; ++l) {
            T sum = 0;
            for (std::size_t j = 0; j < m; ++j) {
                sum += dz[i * m + j] * W[l * m + j];
            }
            dx[i * k + l] = sum;
        }
    }
    const std::size_t rows = wrong == Wrong::last_row_left_out ? n - 1 : n;
    for (std::size_t j = 0; j < m; ++j) {
        db[j] = T(0);
        for (std::size_t i = 0; i < rows; ++i) {
            db[j] += dz[i * m + j];
        }
        for (std::size_t l = 0; l < k; ++l) {
            T sum = 0;
            for (std::size_t i = 0; i < rows; ++i) {
                sum += x[i * k + l] * dz[i * m + j];
            }
            dW[l * m + j] = sum;
        }
    }
}

// y (n, m) = x·(scale·(q − zero)), x (n, k), q (k, m) of int8, a scale and a zero point for each column.
template <class T, Wrong wrong = Wrong::none>
void int8_matmul(T* y, const T* x, const std::int8_t* q, const T* scale, const std::int8_t* zero, std::size_t n,
                 std::size_t k, std::size_t m) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < m; ++j) {
            T sum = 0;
            for (std::size_t l = 0; l < k; ++l) {
                const int weight =
                    wrong == Wrong::unsigned_weights ? static_cast<std::uint8_t>(q[l * m + j]) : q[l * m + j];
                sum += x[i * k + l] * T(wrong == Wrong::zero_point_left_out ? weight : weight - zero[j]);
            }
            y[i * m + j] = sum * scale[wrong == Wrong::scale_of_row ? i % m : j];
        }
    }
}

}  // namespace byhand::example
