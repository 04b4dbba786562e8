// The elementwise kernels of the fused step, and its loss, in float, for the widest vectors of the CPU (chosen at run
// time). Each has a scalar twin among the operations of src/manual, with which its test compares it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/optimizer.h"
#include "fast/panels.h"

namespace byhand::simd {

// h = tanh(x), within 0.8 ULP; h may be x itself.   Twin: tanh_forward.
void tanh_forward(float* h, const float* x, std::size_t count);

// y = exp(x), within 4 ULP; y may be x itself.   Twin: softmax_exp.
void exp_forward(float* y, const float* x, std::size_t count);

// embcat[i, t·E + e] = C[X[i, t], e].   embcat (n, T·E) in panels, with the stretches of its rows; C (V, E), X (n, T).
// Twin: embedding_forward.
void embedding_forward(float* embcat, const float* C, const std::int64_t* X, std::size_t n, std::size_t T,
                       std::size_t E, std::span<const Stretch> stretches);

// dC[X[i, t], e] += dembcat[i, t·E + e], row after row of some.   Twin, to the bit: embedding_backward.
void embedding_backward(float* dC, const float* dembcat, const std::int64_t* X, const RowRange& rows, std::size_t T,
                        std::size_t E, std::span<const Stretch> stretches);

// For some rows: losses[i] = −ln softmax(logits[i])[Y[i]] and dlogits[i] = (softmax(logits[i]) − one-hot(Y[i]))/n,
// where n counts the rows of the batch. dlogits is in panels like logits; its padding is set to 0.   Twin:
// cross_entropy_with_gradient.
void cross_entropy_with_gradient(float* losses, float* dlogits, const Panels& logits, const std::int64_t* Y,
                                 std::size_t n, const RowRange& rows);

// Some rows of one panel of the mask that belongs to the key, one number: its element (i, j) is number i·columns + j.
// The panel's padding remains.   Twin, to the bit: dropout_mask.
void dropout_mask(float* mask, const float* key, const RowRange& rows, std::size_t columns, const Panel& panel,
                  double p);

// The next four process whole cache lines: all arrays start on one, and the elements between `count` and the end of the
// last line are read and written too.

// dx = dh·(1 − h²); dx may be dh itself.   Twin, to the bit: tanh_backward.
void tanh_backward(float* dx, const float* dh, const float* h, std::size_t count);

// y = a + b, and y = a·b; y may be either of them.   Twins, to the bit: residual_forward; dropout_forward and
// dropout_backward.
void add(float* y, const float* a, const float* b, std::size_t count);
void multiply(float* y, const float* a, const float* b, std::size_t count);

// new_p = p − rate·dp.   Twin, to the bit: descend.
void descend(float* new_p, const float* p, const float* dp, float rate, std::size_t count);

// The activations of the fused step, in float, for the widest vectors of the CPU (chosen at run time). All arrays start
// on a cache line, and the elements between `count` and the end of the last line are read and written too.

enum class Activation { tanh, sigmoid, relu, leaky_relu, gelu, gelu_tanh, silu };
inline constexpr std::size_t kActivationCount = 7;

// The activation of that name; nullopt for other operations, and for an activation without a kernel.
std::optional<Activation> activation_of(const std::string& op);

// Whether the forward pass stores the derivative for the backward pass, which else computes it from the result.
bool stores_derivative(Activation f);

// h = f(x), and derivative = f′(x) if stores_derivative(f), else it may be null; h may be x itself. a is the slope of a
// leaky_relu for x < 0.
// Twins: tanh_forward, sigmoid_forward, relu_forward, leaky_relu_forward, gelu_forward, gelu_tanh_forward,
// silu_forward.
void activation_forward(float* h, float* derivative, const float* x, std::size_t count, Activation f, float a);

// dx = dh·f′, where `read` is the stored derivative or the result; dx may be dh itself.
// Twins: tanh_backward, sigmoid_backward, relu_backward, leaky_relu_backward, gelu_backward, gelu_tanh_backward,
// silu_backward.
void activation_backward(float* dx, const float* dh, const float* read, std::size_t count, Activation f);

// Computations shared by the rows of a batch that have the same character at the same position of their contexts: rows
// of a table, looked up and added to, in float, for the widest vectors of the CPU (chosen at run time). The second
// function is the transpose of the first. All rows are rows of a panel: `width` numbers, whole cache lines
// (panels.h).

struct Contexts {
    const std::int64_t* X = nullptr;  // (n, T), below V
    std::size_t n = 0, T = 0, V = 0;
};

// y[i] = Σ_t table[t, X[i, t]] + b; without a bias b is null.   y (n, width), table (T, V, width), b (width).
// Twin, with T = 1: embedding_forward.
void look_up_by_character(float* y, const float* table, const Contexts& contexts, const float* b, std::size_t width);

// sums[t, v] = Σ dy[i] over the rows i with X[i, t] = v.   sums and scratch (T, V, width), dy (n, width).
// Twin, with T = 1 and up to 256 rows to the bit: embedding_backward.
void sum_by_character(float* sums, float* scratch, const float* dy, const Contexts& contexts, std::size_t width);

// An optimizer's step in one pass over a parameter, in float, for the widest vectors of the CPU (chosen at run time).
// All arrays start on a cache line, and the elements between `count` and the end of the last line are read and written
// too.

// A parameter, and the optimizer's state for it: momentum, or exp_avg and exp_avg_sq. Null if unused.
struct ParameterState {
    float *p = nullptr, *mean = nullptr, *square = nullptr;
};

struct OptimizerStep {
    OptimizerConfig config;
    float rate = 0;
    float mean_correction = 1, square_correction = 1;  // adamw: 1 − β1^t, 1 − β2^t
};

// Computes `count` elements of p and its state, from index `from` on, after the step from p, its state and their
// gradient.   Twins, to the bit: l2_gradient,
// momentum_update, nesterov_lookahead, descend; moment_mean, moment_square, moment_unbiased, adamw_descend.
void optimizer_step(const ParameterState& updated, const ParameterState& present, std::size_t from,
                    const float* gradient, std::size_t count, const OptimizerStep& step);

// Layer norm and RMS norm of the fused step, in float, for the widest vectors of the CPU: some rows of a matrix in
// panels, each over all of its columns. All arrays start on cache lines.

// A norm of n rows; the padding of the last panel is ignored.
struct RowNorm {
    std::size_t n = 0;
    std::span<const Panel> panels;
    float *mean = nullptr, *var = nullptr, *inv = nullptr;  // lnmean, lnvar, lnvar_inv; null, rmsmean, rms_inv: (n)
    float* raw = nullptr;                                   // x̂ (n, H)
    const float *gain = nullptr, *bias = nullptr;           // null without γ; an RMS norm has no β
    float epsilon = 0;
};

// y = γ·x̂ + β with x̂ = (x − mean)·inv, in an RMS norm y = γ·x̂ with x̂ = x·inv; without γ and β y = x̂. Writes those
// rows of every array that is not const. y may be raw, and raw x.   Twins: row_mean, layernorm_difference, row_square,
// row_inverse_root, row_normalise, batchnorm_scale_shift or row_norm_scale.
void row_norm_forward(float* y, const float* x, const RowNorm& norm, const RowRange& rows);

// Replaces dL/dy of those rows in dy by dL/dx.   Twins: batchnorm_raw_backward; layernorm_backward or rmsnorm_backward.
void row_norm_backward(float* dy, const RowNorm& norm, const RowRange& rows);

}  // namespace byhand::simd
