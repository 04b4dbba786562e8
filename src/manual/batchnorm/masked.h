// Batch norm of sequences padded to one length (note 3): mean and variance are over the rows whose mask is set. The
// other rows, the padding, are ignored: their outputs are 0 and they receive no gradient.
//
// Shapes as in formulas.h; mask (n), 0 for padding. N is the number of rows whose mask is set, at least one; D is the
// variance's divisor, N or N − 1. Functions of formulas.h that map zero rows to zero rows are used here too: forward
// batchnorm_square, batchnorm_inverse_deviation and batchnorm_normalise, backward batchnorm_inverse_deviation_backward,
// batchnorm_variance_backward, batchnorm_difference_backward and batchnorm_mean_backward.
#pragma once

#include <cstddef>

#include "base/network.h"
#include "manual/batchnorm/formulas.h"
#include "manual/sums.h"

namespace byhand {

// N
inline std::size_t unmasked_rows(const unsigned char* mask, std::size_t n) {
    std::size_t rows = 0;
    for (std::size_t i = 0; i < n; ++i) {
        rows += mask[i] != 0 ? 1 : 0;
    }
    return rows;
}

// ---- forward ----

// bnmeani[j] = Σ_i x[i, j] / N, over the rows i whose mask is set
template <class T>
void masked_batchnorm_mean(T* bnmeani, const T* x, const unsigned char* mask, std::size_t n, std::size_t H) {
    sum_down(bnmeani, n, H, [x, mask](std::size_t i, std::size_t at) { return mask[i] != 0 ? x[at] : T{0}; });
    const T N = static_cast<T>(unmasked_rows(mask, n));
    for (std::size_t j = 0; j < H; ++j) {
        bnmeani[j] /= N;
    }
}

// bndiff = x − bnmeani, 0 in masked rows
template <class T>
void masked_batchnorm_difference(T* bndiff, const T* x, const T* bnmeani, const unsigned char* mask, std::size_t n,
                                 std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            bndiff[i * H + j] = mask[i] != 0 ? x[i * H + j] - bnmeani[j] : T{0};
        }
    }
}

// bnvar[j] = Σ_i bndiff2[i, j] / D, over the rows i whose mask is set
template <class T>
void masked_batchnorm_variance(T* bnvar, const T* bndiff2, const unsigned char* mask, std::size_t n, std::size_t H,
                               Divisor divisor) {
    sum_down(bnvar, n, H, [bndiff2, mask](std::size_t i, std::size_t at) { return mask[i] != 0 ? bndiff2[at] : T{0}; });
    const T D = divisor_of<T>(divisor, unmasked_rows(mask, n));
    for (std::size_t j = 0; j < H; ++j) {
        bnvar[j] /= D;
    }
}

// y = bngain·bnraw + bnbias, 0 in masked rows
template <class T>
void masked_batchnorm_scale_shift(T* y, const T* bnraw, const T* bngain, const T* bnbias, const unsigned char* mask,
                                  std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            y[i * H + j] = mask[i] != 0 ? bngain[j] * bnraw[i * H + j] + bnbias[j] : T{0};
        }
    }
}

// ---- backward, in reverse order ----

// dbngain[j] = Σ_i dy[i, j]·bnraw[i, j], over the rows i whose mask is set
template <class T>
void masked_batchnorm_gain_backward(T* dbngain, const T* dy, const T* bnraw, const unsigned char* mask, std::size_t n,
                                    std::size_t H) {
    sum_down(dbngain, n, H, [=](std::size_t i, std::size_t at) { return mask[i] != 0 ? dy[at] * bnraw[at] : T{0}; });
}

// dbnbias[j] = Σ_i dy[i, j], over the rows i whose mask is set
template <class T>
void masked_batchnorm_bias_backward(T* dbnbias, const T* dy, const unsigned char* mask, std::size_t n, std::size_t H) {
    sum_down(dbnbias, n, H, [=](std::size_t i, std::size_t at) { return mask[i] != 0 ? dy[at] : T{0}; });
}

// dbnraw = bngain·dy, 0 in masked rows
template <class T>
void masked_batchnorm_raw_backward(T* dbnraw, const T* dy, const T* bngain, const unsigned char* mask, std::size_t n,
                                   std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbnraw[i * H + j] = mask[i] != 0 ? bngain[j] * dy[i * H + j] : T{0};
        }
    }
}

// dbndiff2[i, j] = dbnvar[j] / D, 0 in masked rows
template <class T>
void masked_batchnorm_square_sum_backward(T* dbndiff2, const T* dbnvar, const unsigned char* mask, std::size_t n,
                                          std::size_t H, Divisor divisor) {
    const T D = divisor_of<T>(divisor, unmasked_rows(mask, n));
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbndiff2[i * H + j] = mask[i] != 0 ? dbnvar[j] / D : T{0};
        }
    }
}

// dx[i, j] = dbndiff[i, j] + dbnmeani[j] / N, 0 in masked rows
template <class T>
void masked_batchnorm_input_backward(T* dx, const T* dbndiff, const T* dbnmeani, const unsigned char* mask,
                                     std::size_t n, std::size_t H) {
    const T N = static_cast<T>(unmasked_rows(mask, n));
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dx[i * H + j] = mask[i] != 0 ? dbndiff[i * H + j] + dbnmeani[j] / N : T{0};
        }
    }
}

}  // namespace byhand
