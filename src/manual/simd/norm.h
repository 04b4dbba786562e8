// Batch norm on one panel (manual/panels.h), in float, for the widest vectors of the CPU: the formulas of
// manual/batchnorm/formulas.h, with the sums of each column in the same order and the same bits. All arrays start on
// cache lines.
#pragma once

#include <cstddef>

#include "base/network.h"

namespace byhand::simd {

// One panel of a norm: n rows of `width` columns, and `width` statistics and parameters.
struct NormPanel {
    std::size_t n = 0, width = 0;
    float *mean = nullptr, *var = nullptr, *inv = nullptr;  // bnmeani, bnvar, bnvar_inv
    float* raw = nullptr;                                   // x̂ (n, width)
    const float *gain = nullptr, *bias = nullptr;           // null without γ and β
};

// y = γ·x̂ + β with x̂ = (x − mean)·bnvar_inv; without γ and β y = x̂. Writes every array of the panel that is not
// const. y may be x or raw.   Twins: batchnorm_mean, …_difference, …_variance_of_differences, …_inverse_deviation,
// …_normalise, …_scale_shift.
void batchnorm_forward(float* y, const float* x, const NormPanel& panel, const NormConfig& norm);

// Replaces dL/dy in dy by dL/dx, and computes dγ and dβ (null without them).   Twins: batchnorm_gain_backward,
// batchnorm_bias_backward, batchnorm_affine_backward; batchnorm_backward.
void batchnorm_backward(float* dy, float* dgain, float* dbias, const NormPanel& panel, const NormConfig& norm);

// The same with the non-linearity after it: h = tanh(y), and back from dL/dh in dh.   Additional twins: tanh_forward,
// tanh_backward.
void batchnorm_tanh_forward(float* h, const float* x, const NormPanel& panel, const NormConfig& norm);
void batchnorm_tanh_backward(float* dh, float* dgain, float* dbias, const float* h, const NormPanel& panel,
                             const NormConfig& norm);

// out[j] = Σ_i x[i, j].   x (n, width).   Twin: sum_rows.
void sum_rows(float* out, const float* x, std::size_t n, std::size_t width);

// out[j] = Σ_i x[i, j]·y[i, j].   x and y (n, width).   Twin: sum_rows_of_product.
void sum_rows_of_product(float* out, const float* x, const float* y, std::size_t n, std::size_t width);

}  // namespace byhand::simd
