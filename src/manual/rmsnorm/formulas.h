// RMS norm (Zhang and Sennrich 2019): each row divided by the root of its mean square, then scaled by γ of each column.
// Its small steps are in row_norm.h; here is the backward in one line.
#pragma once

#include <cstddef>

#include "manual/row_norm.h"

namespace byhand {

// dx[i, j] = s[i]·( dx̂[i, j] − x̂[i, j]·Σ_j dx̂[i, j]·x̂[i, j]/H ), with dx̂ = drmsraw, x̂ = rmsraw, s = rms_inv: matrices
// are (n, H), s is (n). dx may be drmsraw itself.
template <class T>
void rmsnorm_backward(T* dx, const T* drmsraw, const T* rmsraw, const T* rms_inv, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        const T *d = drmsraw + i * H, *raw = rmsraw + i * H;
        const T slope = sum_along<T>(H, [=](std::size_t j) { return d[j] * raw[j]; }) / static_cast<T>(H);
        for (std::size_t j = 0; j < H; ++j) {
            dx[i * H + j] = rms_inv[i] * (d[j] - slope * raw[j]);
        }
    }
}

}  // namespace byhand
