// Batch norm's backward by note 1's chain: through the variance, then through the mean, then to the input. A third
// derivation of the gradient that formulas.h computes in small steps and in one line.
//
// The note's dHN is dbnraw, its H0 − mean is bndiff, its 1/√(variance + ε) is bnvar_inv (s); shapes and D are those of
// formulas.h.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/network.h"
#include "manual/batchnorm/formulas.h"
#include "manual/sums.h"

namespace byhand {

// dbnvar[j] = Σ_i dbnraw[i, j]·bndiff[i, j] · (−½)·(bnvar[j] + ε)^(−3/2), or · −1/(2·√bnvar·(√bnvar + ε)²) with ε
// outside the root
template <class T>
void batchnorm_chain_variance_backward(T* dbnvar, const T* dbnraw, const T* bndiff, const T* bnvar, std::size_t n,
                                       std::size_t H, double epsilon, EpsilonPlace place) {
    batchnorm_inverse_deviation_backward(dbnvar, dbnraw, bndiff, n, H);
    batchnorm_variance_backward(dbnvar, dbnvar, bnvar, H, epsilon, place);
}

// dbnmeani[j] = −s·Σ_i dbnraw[i, j] + dbnvar[j]·Σ_i (−2)·bndiff[i, j] / D: the second sum is 0 up to rounding
template <class T>
void batchnorm_chain_mean_backward(T* dbnmeani, const T* dbnraw, const T* bndiff, const T* bnvar_inv, const T* dbnvar,
                                   std::size_t n, std::size_t H, Divisor divisor) {
    for (std::size_t from = 0; from < H; from += kSumColumns) {
        T gradients[kSumColumns], differences[kSumColumns];
        sum_down_columns(gradients, n, H, from, [=](std::size_t, std::size_t at) { return dbnraw[at]; });
        sum_down_columns(differences, n, H, from, [=](std::size_t, std::size_t at) { return bndiff[at]; });
        for (std::size_t j = 0; j < std::min(kSumColumns, H - from); ++j) {
            const std::size_t unit = from + j;
            dbnmeani[unit] =
                -(bnvar_inv[unit] * gradients[j]) - dbnvar[unit] * (T{2} * differences[j]) / divisor_of<T>(divisor, n);
        }
    }
}

// dx = s·dbnraw + dbnvar·2·bndiff/D + dbnmeani/n
template <class T>
void batchnorm_chain_input_backward(T* dx, const T* dbnraw, const T* bndiff, const T* bnvar_inv, const T* dbnvar,
                                    const T* dbnmeani, std::size_t n, std::size_t H, Divisor divisor) {
    for (std::size_t from = 0; from < H; from += kSumColumns) {
        T slope[kSumColumns], mean[kSumColumns];
        const std::size_t columns = std::min(kSumColumns, H - from);
        for (std::size_t j = 0; j < columns; ++j) {
            slope[j] = T{2} * dbnvar[from + j] / divisor_of<T>(divisor, n);
            mean[j] = dbnmeani[from + j] / static_cast<T>(n);
        }
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                const std::size_t at = i * H + from + j;
                dx[at] = bnvar_inv[from + j] * dbnraw[at] + slope[j] * bndiff[at] + mean[j];
            }
        }
    }
}

}  // namespace byhand
