// Kernels that people write: right, with sums in any order, and with mistakes that people make.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "campaign/orders.h"

namespace byhand::example {

// The order of sums (campaign/orders.h), and the mistake: one of the kernel's list, or empty.
struct Variant {
    int order = 0;
    std::string_view mistake = {};
    std::uint64_t seed = 1;  // of the inputs

    bool has(std::string_view name) const { return mistake == name; }
    template <class T, class Term>
    T sum(std::size_t n, Term term) const {
        return total<T>(n, term, order);
    }
};

inline constexpr double kEpsilon = 1e-5;

inline constexpr std::array kLayernormMistakes = {"variance by n − 1", "epsilon outside",  "no epsilon",
                                                  "bias by row",       "gain left out",    "gain by row",
                                                  "tail left out",     "mean of the tail", "E[x²] − mean²"};

// y (n, c) = (x − mean)/√(variance + ε)·gain + bias, over each row.
template <class T>
void layernorm(const Variant& v, T* y, const T* x, const T* gain, const T* bias, std::size_t n, std::size_t c) {
    const T epsilon = v.has("no epsilon") ? T(0) : T(kEpsilon);
    const std::size_t columns = v.has("tail left out") ? c - c % 4 : c;
    for (std::size_t i = 0; i < n; ++i) {
        const T* row = x + i * c;
        const std::size_t summed = v.has("mean of the tail") && c > 4 ? c - 1 : c;
        const T mean = v.sum<T>(summed, [&](std::size_t j) { return row[j]; }) / T(c);
        T variance = v.sum<T>(c, [&](std::size_t j) { return (row[j] - mean) * (row[j] - mean); });
        variance /= T(v.has("variance by n − 1") && c > 1 ? c - 1 : c);
        if (v.has("E[x²] − mean²")) {
            variance = v.sum<T>(c, [&](std::size_t j) { return row[j] * row[j]; }) / T(c) - mean * mean;
        }
        const T inverse =
            v.has("epsilon outside") ? 1 / (std::sqrt(variance) + epsilon) : 1 / std::sqrt(variance + epsilon);
        for (std::size_t j = 0; j < columns; ++j) {
            const T scale = v.has("gain left out") ? T(1) : gain[v.has("gain by row") ? i % c : j];
            y[i * c + j] = (row[j] - mean) * inverse * scale + bias[v.has("bias by row") ? i % c : j];
        }
    }
}

inline constexpr std::array kLayernormBackwardMistakes = {"mean term left out", "dot term left out", "gain left out",
                                                          "sums not cleared",   "means over rows",   "dgain by x",
                                                          "dbias overwritten",  "inverse squared"};

// With the mean and the inverse deviation (n) that the forward pass has saved.
template <class T>
void layernorm_backward(const Variant& v, T* dx, T* dgain, T* dbias, const T* dy, const T* x, const T* gain,
                        const T* mean, const T* inverse, std::size_t n, std::size_t c) {
    const auto norm = [&](std::size_t i, std::size_t j) { return (x[i * c + j] - mean[i]) * inverse[i]; };
    const auto dnorm = [&](std::size_t i, std::size_t j) {
        return v.has("gain left out") ? dy[i * c + j] : dy[i * c + j] * gain[j];
    };
    for (std::size_t j = 0; j < c; ++j) {
        const T of_gain = v.sum<T>(
            n, [&](std::size_t i) { return dy[i * c + j] * (v.has("dgain by x") ? x[i * c + j] : norm(i, j)); });
        const T of_bias = v.sum<T>(n, [&](std::size_t i) { return dy[i * c + j]; });
        dgain[j] = v.has("sums not cleared") ? dgain[j] + of_gain : of_gain;
        dbias[j] = v.has("dbias overwritten") ? dy[(n - 1) * c + j] : of_bias;
    }
    const T divisor = T(v.has("means over rows") ? n : c);
    for (std::size_t i = 0; i < n; ++i) {
        const T sum = v.sum<T>(c, [&](std::size_t j) { return dnorm(i, j); }) / divisor;
        const T dot = v.sum<T>(c, [&](std::size_t j) { return dnorm(i, j) * norm(i, j); }) / divisor;
        const T scale = v.has("inverse squared") ? inverse[i] * inverse[i] : inverse[i];
        for (std::size_t j = 0; j < c; ++j) {
            dx[i * c + j] = scale * (dnorm(i, j) - (v.has("mean term left out") ? T(0) : sum) -
                                     norm(i, j) * (v.has("dot term left out") ? T(0) : dot));
        }
    }
}

inline constexpr std::array kSoftmaxMistakes = {"maximum from zero",       "no maximum",     "mask after softmax",
                                                "mask one too late",       "scale left out", "scale twice",
                                                "maximum of the row above"};

// Attention with a causal mask: probs (n, n) is the softmax of row i of scores/√n over the columns up to i, and 0
// beyond.
template <class T>
void causal_softmax(const Variant& v, T* probs, const T* scores, std::size_t n) {
    T scale = v.has("scale left out") ? T(1) : 1 / std::sqrt(T(n));
    scale *= v.has("scale twice") ? scale : T(1);
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t ahead = v.has("mask one too late") ? 2 : 1;
        const std::size_t width = v.has("mask after softmax") ? n : std::min(i + ahead, n);
        const T* row = scores + i * n;
        T largest = row[0] * scale;
        for (std::size_t j = 1; j < width; ++j) {
            largest = std::max(largest, row[j] * scale);
        }
        largest = v.has("maximum from zero") ? std::max(largest, T(0)) : v.has("no maximum") ? T(0) : largest;
        if (v.has("maximum of the row above") && i > 0) {
            largest = (row - n)[0] * scale;
        }
        const T sum = v.sum<T>(width, [&](std::size_t j) { return std::exp(row[j] * scale - largest); });
        for (std::size_t j = 0; j < n; ++j) {
            const bool counts = j < (v.has("mask after softmax") ? i + 1 : width);
            probs[i * n + j] = counts ? std::exp(row[j] * scale - largest) / sum : T(0);
        }
    }
}

inline constexpr std::array kSoftmaxBackwardMistakes = {"dot term left out", "scale left out", "sum for dot",
                                                        "negative",          "probs left out", "dot unscaled"};

// dscores, with the probs that the forward pass has saved.
template <class T>
void causal_softmax_backward(const Variant& v, T* dscores, const T* dprobs, const T* probs, std::size_t n) {
    const T scale = v.has("scale left out") ? T(1) : 1 / std::sqrt(T(n));
    for (std::size_t i = 0; i < n; ++i) {
        const T *p = probs + i * n, *dp = dprobs + i * n;
        T dot = v.sum<T>(n, [&](std::size_t j) { return v.has("sum for dot") ? dp[j] : dp[j] * p[j]; });
        dot = v.has("dot term left out") ? T(0) : v.has("dot unscaled") ? dot / scale : dot;
        for (std::size_t j = 0; j < n; ++j) {
            const T factor = v.has("probs left out") ? T(j <= i ? 1 : 0) : p[j];
            dscores[i * n + j] = factor * (v.has("negative") ? dot - dp[j] : dp[j] - dot) * scale;
        }
    }
}

inline constexpr std::array kRotaryMistakes = {"sine's sign", "pairs side by side", "positions from one",
                                               "base 1000",   "exponent halved",    "last pair left out"};

// Rotary position embedding: in row i, columns j and j + c/2 are a pair that turns by the angle i·10000^(−2j/c).
// dy is (n, c), c even.
template <class T>
void rotary_backward(const Variant& v, T* dx, const T* dy, std::size_t n, std::size_t c) {
    const std::size_t half = c / 2;
    const double base = v.has("base 1000") ? 1e3 : 1e4, power = v.has("exponent halved") ? -1 : -2;
    if (v.has("last pair left out")) {
        std::copy(dy, dy + n * c, dx);
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < half - (v.has("last pair left out") && half > 1 ? 1 : 0); ++j) {
            const double angle = static_cast<double>(v.has("positions from one") ? i + 1 : i) *
                                 std::pow(base, power * static_cast<double>(j) / static_cast<double>(c));
            const T cosine = T(std::cos(angle)), sine = T(v.has("sine's sign") ? -std::sin(angle) : std::sin(angle));
            const bool beside = v.has("pairs side by side");
            const std::size_t a = i * c + (beside ? 2 * j : j), b = beside ? a + 1 : a + half;
            dx[a] = dy[a] * cosine + dy[b] * sine;
            dx[b] = dy[b] * cosine - dy[a] * sine;
        }
    }
}

// The element of x·W + b at row i and column j.
template <class T>
T preactivation(const Variant& v, const T* x, const T* W, const T* b, std::size_t i, std::size_t j, std::size_t k,
                std::size_t m) {
    const std::size_t inputs = v.has("last input left out") && k > 1 ? k - 1 : k;
    const T product = v.sum<T>(inputs, [&](std::size_t l) { return x[i * k + l] * W[l * m + j]; });
    return v.has("bias left out") || v.has("bias after gelu") ? product : product + b[v.has("bias by row") ? i % m : j];
}

inline constexpr std::array kGeluMistakes = {"tanh for erf", "bias after gelu", "bias left out",       "bias by row",
                                             "no root of 2", "no half",         "last input left out", "tail left out"};

// y (n, m) = gelu(x·W + b), x (n, k), W (k, m).
template <class T>
void linear_gelu(const Variant& v, T* y, const T* x, const T* W, const T* b, std::size_t n, std::size_t k,
                 std::size_t m) {
    const std::size_t rows = v.has("tail left out") ? n - n % 8 : n;
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < m; ++j) {
            const T z = preactivation(v, x, W, b, i, j, k, m);
            const T half = v.has("no half") ? z : T(0.5) * z;
            const T inner = v.has("tanh for erf") ? std::tanh(T(0.79788456080286536) * (z + T(0.044715) * z * z * z))
                                                  : std::erf(v.has("no root of 2") ? z : z * T(0.70710678118654752));
            y[i * m + j] = half * (1 + inner) + (v.has("bias after gelu") ? b[j] : T(0));
        }
    }
}

inline constexpr std::array kGeluBackwardMistakes = {
    "density left out", "density of z", "bias left out",   "last row left out",
    "db by n",          "dy left out",  "dx by rows of W", "last input left out"};

// dx, dW and db.
template <class T>
void linear_gelu_backward(const Variant& v, T* dx, T* dW, T* db, const T* dy, const T* x, const T* W, const T* b,
                          std::size_t n, std::size_t k, std::size_t m) {
    std::vector<T> dz(n * m);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < m; ++j) {
            const T z = preactivation(v, x, W, b, i, j, k, m);
            const T below = T(0.5) * (1 + std::erf(z * T(0.70710678118654752)));
            const T density = T(0.39894228040143268) * std::exp((v.has("density of z") ? T(-1) : T(-0.5)) * z * z);
            const T slope = v.has("density left out") ? below : below + z * density;
            dz[i * m + j] = v.has("dy left out") ? slope : dy[i * m + j] * slope;
        }
    }
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t l = 0; l < k; ++l) {
            dx[i * k + l] = v.sum<T>(m, [&](std::size_t j) {
                return dz[i * m + j] * W[v.has("dx by rows of W") ? (j * k + l) % (k * m) : l * m + j];
            });
        }
    }
    const std::size_t rows = v.has("last row left out") ? n - 1 : n;
    for (std::size_t j = 0; j < m; ++j) {
        db[j] = v.sum<T>(rows, [&](std::size_t i) { return dz[i * m + j]; }) / T(v.has("db by n") ? n : 1);
        for (std::size_t l = 0; l < k; ++l) {
            dW[l * m + j] = v.sum<T>(rows, [&](std::size_t i) { return x[i * k + l] * dz[i * m + j]; });
        }
    }
}

inline constexpr std::array kInt8Mistakes = {"scale by row",       "scale left out",     "zero point left out",
                                             "first zero point",   "unsigned weights",   "difference in int8",
                                             "weights transposed", "last input left out"};

// y (n, m) = x·(scale·(q − zero)), x (n, k), q (k, m) of int8, a scale and a zero point for each column.
template <class T>
void int8_matmul(const Variant& v, T* y, const T* x, const std::int8_t* q, const T* scale, const std::int8_t* zero,
                 std::size_t n, std::size_t k, std::size_t m) {
    const std::size_t inputs = v.has("last input left out") && k > 1 ? k - 1 : k;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < m; ++j) {
            const T sum = v.sum<T>(inputs, [&](std::size_t l) {
                const std::int8_t stored = q[v.has("weights transposed") ? j * k + l : l * m + j];
                const int weight = v.has("unsigned weights") ? static_cast<std::uint8_t>(stored) : stored;
                const int offset = v.has("zero point left out") ? 0 : zero[v.has("first zero point") ? 0 : j];
                const int difference = weight - offset;
                return x[i * k + l] *
                       T(v.has("difference in int8") ? static_cast<std::int8_t>(difference) : difference);
            });
            y[i * m + j] = v.has("scale left out") ? sum : sum * scale[v.has("scale by row") ? i % m : j];
        }
    }
}

}  // namespace byhand::example
