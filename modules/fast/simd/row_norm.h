// Layer norm and RMS norm of the fused step, in float, for the widest vectors of the CPU: some rows of a matrix in
// panels, each over all of its columns. All arrays start on cache lines.
#pragma once

#include <cstddef>
#include <span>

#include "fast/panels.h"

namespace byhand::simd {

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
void row_norm_forward(float* y, const float* x, const RowNorm& norm, const Rows& rows);

// Replaces dL/dy of those rows in dy by dL/dx.   Twins: batchnorm_raw_backward; layernorm_backward or rmsnorm_backward.
void row_norm_backward(float* dy, const RowNorm& norm, const Rows& rows);

}  // namespace byhand::simd
