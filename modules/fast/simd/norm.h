// Batch norm on one panel (panels.h), in float, for the widest vectors of the CPU: the formulas of
// manual/batchnorm/formulas.h, with the sums of each column in the same order and the same bits. All arrays start on
// cache lines.
#pragma once

#include <cstddef>

#include "base/network.h"
#include "fast/panels.h"

namespace byhand::simd {

// One panel of a norm: n rows of `width` columns, and `width` statistics and parameters.
struct NormPanel {
    std::size_t n = 0;      // rows at hand
    std::size_t batch = 0;  // rows of the batch: all, or more than those at hand
    std::size_t width = 0;
    float *mean = nullptr, *var = nullptr, *inv = nullptr;  // bnmeani, bnvar, bnvar_inv
    float* raw = nullptr;                                   // x̂ (n, width)
    const float *gain = nullptr, *bias = nullptr;           // null without γ and β

    // Some of its rows.
    NormPanel rows(const RowRange& some) const {
        NormPanel panel = *this;
        panel.n = some.last - some.first;
        panel.raw += some.first * width;
        return panel;
    }
};

// The norm in two passes.
//   mean = Σx/batch, var = Σ(x − x̄)²/D where x̄ is the mean of the panel's rows. Of all rows of the batch they are
//   bnmeani and bnvar; of fewer, shares that have to be merged (base/parts.h) before the next pass.
//   y = γ·x̂ + β with x̂ = (x − bnmeani)·bnvar_inv, which goes to raw; without γ and β y = x̂; y and raw may be x
// Twins: batchnorm_mean, …_difference, …_variance_of_differences; …_inverse_deviation, …_normalise, …_scale_shift.
void batchnorm_moments(float* mean, float* var, const float* x, const NormPanel& panel, const NormConfig& norm);
void batchnorm_normalise(float* y, const float* x, const NormPanel& panel, const NormConfig& norm);

// All three for a panel with all rows of the batch. y may be x or raw.
void batchnorm_forward(float* y, const float* x, const NormPanel& panel, const NormConfig& norm);

// The backward pass, from the sums dγ = Σdy·x̂ and dβ = Σdy over the rows of the batch, which a norm without γ and β has
// too: replaces dL/dy in dy by dL/dx.   Twins: batchnorm_affine_backward, batchnorm_backward.
void batchnorm_input_backward(float* dy, const float* dgain, const float* dbias, const NormPanel& panel,
                              const NormConfig& norm);

// The same with the sums, for a panel with all rows of the batch; dγ and dβ are null without them.   Twins:
// batchnorm_gain_backward, batchnorm_bias_backward; as above.
void batchnorm_backward(float* dy, float* dgain, float* dbias, const NormPanel& panel, const NormConfig& norm);

// The same with the non-linearity after it: h = tanh(y), and back from dL/dh in dh.   Additional twins: tanh_forward,
// tanh_backward.
void batchnorm_tanh_normalise(float* h, const float* x, const NormPanel& panel, const NormConfig& norm);
void batchnorm_tanh_forward(float* h, const float* x, const NormPanel& panel, const NormConfig& norm);
void batchnorm_tanh_backward(float* dh, float* dgain, float* dbias, const float* h, const NormPanel& panel,
                             const NormConfig& norm);

// The sums dγ = Σdy·x̂ and dβ = Σdy of these rows, of this or another norm; the second one from dL/dh, which it replaces
// by dL/dy.   x̂ is raw; all (n, width).   Twins: batchnorm_gain_backward, batchnorm_bias_backward; tanh_backward.
void norm_sums(float* dgain, float* dbias, const float* dy, const float* raw, std::size_t n, std::size_t width);
void tanh_norm_sums(float* dgain, float* dbias, float* dh, const float* h, const float* raw, std::size_t n,
                    std::size_t width);

// out[j] = Σ_i x[i, j].   x (n, width).   Twin: sum_rows.
void sum_rows(float* out, const float* x, std::size_t n, std::size_t width);

}  // namespace byhand::simd
