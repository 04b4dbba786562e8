// Batch norm of each unit over the rows of a batch (note 1; Ioffe and Szegedy 2015), in the small steps of part 4 of
// the makemore lectures, and its backward in one line (note 5).
//
// Shapes: x, its differences, bnraw and y are (n, H); mean, variance, gain, bias are (H). D is the variance's divisor,
// n or n − 1. Where a function takes n beside `rows`, n counts the rows of the batch, and `rows` those at hand: all of
// them, or a part, whose sums are then added to those of the other parts (modules/ranks/parts.h). Rows are contiguous,
// and every inner loop runs along them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/network.h"
#include "manual/sums.h"

namespace byhand {

// n or n − 1. Precondition: n > 1 for n − 1.
template <class T>
T divisor_of(Divisor divisor, std::size_t n) {
    return static_cast<T>(divisor == Divisor::n ? n : n - 1);
}

// ---- forward ----

// bnmeani[j] = Σ_i x[i, j] / n
template <class T>
void batchnorm_mean(T* bnmeani, const T* x, std::size_t rows, std::size_t H, std::size_t n) {
    sum_rows(bnmeani, x, rows, H);
    for (std::size_t j = 0; j < H; ++j) {
        bnmeani[j] /= static_cast<T>(n);
    }
}

// bndiff = x − bnmeani
template <class T>
void batchnorm_difference(T* bndiff, const T* x, const T* bnmeani, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            bndiff[i * H + j] = x[i * H + j] - bnmeani[j];
        }
    }
}

// bndiff2 = bndiff²
template <class T>
void batchnorm_square(T* bndiff2, const T* bndiff, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        bndiff2[i] = bndiff[i] * bndiff[i];
    }
}

// bnvar[j] = Σ_i bndiff2[i, j] / D
template <class T>
void batchnorm_variance(T* bnvar, const T* bndiff2, std::size_t rows, std::size_t H, std::size_t n, Divisor divisor) {
    sum_rows(bnvar, bndiff2, rows, H);
    for (std::size_t j = 0; j < H; ++j) {
        bnvar[j] /= divisor_of<T>(divisor, n);
    }
}

// bnvar[j] = Σ_i bndiff[i, j]² / D
template <class T>
void batchnorm_variance_of_differences(T* bnvar, const T* bndiff, std::size_t rows, std::size_t H, std::size_t n,
                                       Divisor divisor) {
    sum_rows_of_product(bnvar, bndiff, bndiff, rows, H);
    for (std::size_t j = 0; j < H; ++j) {
        bnvar[j] /= divisor_of<T>(divisor, n);
    }
}

// bnvar_inv = 1/√(bnvar + ε), or 1/(√bnvar + ε) with ε outside the root
template <class T>
void batchnorm_inverse_deviation(T* bnvar_inv, const T* bnvar, std::size_t H, double epsilon, EpsilonPlace place) {
    using std::sqrt;
    const T eps = static_cast<T>(epsilon);
    for (std::size_t j = 0; j < H; ++j) {
        bnvar_inv[j] = place == EpsilonPlace::inside ? T{1} / sqrt(bnvar[j] + eps) : T{1} / (sqrt(bnvar[j]) + eps);
    }
}

// bnraw = bndiff·bnvar_inv
template <class T>
void batchnorm_normalise(T* bnraw, const T* bndiff, const T* bnvar_inv, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            bnraw[i * H + j] = bndiff[i * H + j] * bnvar_inv[j];
        }
    }
}

// y = bngain·bnraw + bnbias
template <class T>
void batchnorm_scale_shift(T* y, const T* bnraw, const T* bngain, const T* bnbias, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            y[i * H + j] = bngain[j] * bnraw[i * H + j] + bnbias[j];
        }
    }
}

// ---- backward, in reverse order ----

// dbngain[j] = Σ_i dy[i, j]·bnraw[i, j]
template <class T>
void batchnorm_gain_backward(T* dbngain, const T* dy, const T* bnraw, std::size_t n, std::size_t H) {
    sum_rows_of_product(dbngain, dy, bnraw, n, H);
}

// dbnbias[j] = Σ_i dy[i, j]
template <class T>
void batchnorm_bias_backward(T* dbnbias, const T* dy, std::size_t n, std::size_t H) {
    sum_rows(dbnbias, dy, n, H);
}

// dbnraw = bngain·dy
template <class T>
void batchnorm_raw_backward(T* dbnraw, const T* dy, const T* bngain, std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbnraw[i * H + j] = bngain[j] * dy[i * H + j];
        }
    }
}

// dbnvar_inv[j] = Σ_i bndiff[i, j]·dbnraw[i, j]
template <class T>
void batchnorm_inverse_deviation_backward(T* dbnvar_inv, const T* dbnraw, const T* bndiff, std::size_t n,
                                          std::size_t H) {
    sum_rows_of_product(dbnvar_inv, bndiff, dbnraw, n, H);
}

// dbnvar = −½·(bnvar + ε)^(−3/2)·dbnvar_inv, or −1/(2·√bnvar·(√bnvar + ε)²)·dbnvar_inv with ε outside the root
template <class T>
void batchnorm_variance_backward(T* dbnvar, const T* dbnvar_inv, const T* bnvar, std::size_t H, double epsilon,
                                 EpsilonPlace place) {
    using std::sqrt;
    const T eps = static_cast<T>(epsilon);
    for (std::size_t j = 0; j < H; ++j) {
        if (place == EpsilonPlace::inside) {
            const T root = sqrt(bnvar[j] + eps);
            dbnvar[j] = -T{0.5} / (root * root * root) * dbnvar_inv[j];
        } else {
            const T root = sqrt(bnvar[j]);
            dbnvar[j] = -T{0.5} / (root * (root + eps) * (root + eps)) * dbnvar_inv[j];
        }
    }
}

// dbndiff2[i, j] = dbnvar[j] / D
template <class T>
void batchnorm_square_sum_backward(T* dbndiff2, const T* dbnvar, std::size_t rows, std::size_t H, std::size_t n,
                                   Divisor divisor) {
    const T D = divisor_of<T>(divisor, n);  // hoisted: in the loop, g++ converts it for each element
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dbndiff2[i * H + j] = dbnvar[j] / D;
        }
    }
}

// dbndiff = bnvar_inv·dbnraw + 2·bndiff·dbndiff2: bndiff is used in bnraw and in bndiff2
template <class T>
void batchnorm_difference_backward(T* dbndiff, const T* dbnraw, const T* bnvar_inv, const T* dbndiff2, const T* bndiff,
                                   std::size_t n, std::size_t H) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            const std::size_t at = i * H + j;
            dbndiff[at] = bnvar_inv[j] * dbnraw[at] + T{2} * bndiff[at] * dbndiff2[at];
        }
    }
}

// dbnmeani[j] = −Σ_i dbndiff[i, j]
template <class T>
void batchnorm_mean_backward(T* dbnmeani, const T* dbndiff, std::size_t n, std::size_t H) {
    sum_rows(dbnmeani, dbndiff, n, H);
    for (std::size_t j = 0; j < H; ++j) {
        dbnmeani[j] = -dbnmeani[j];
    }
}

// dx[i, j] = dbndiff[i, j] + dbnmeani[j] / n: x is used in bndiff and in bnmeani
template <class T>
void batchnorm_input_backward(T* dx, const T* dbndiff, const T* dbnmeani, std::size_t rows, std::size_t H,
                              std::size_t n) {
    for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < H; ++j) {
            dx[i * H + j] = dbndiff[i * H + j] + dbnmeani[j] / static_cast<T>(n);
        }
    }
}

// ---- backward in one line (note 5) ----

// k = 1 with ε inside the root, (√bnvar + ε)/√bnvar with ε outside: there the deviation that the variance moves is
// √bnvar, not √bnvar + ε.
template <class T>
T deviation_share(const T& bnvar, double epsilon, EpsilonPlace place) {
    using std::sqrt;
    return place == EpsilonPlace::inside ? T{1} : T{1} + static_cast<T>(epsilon) / sqrt(bnvar);
}

// dx = s·( dx̂ − Σdx̂/n − k·x̂·Σ(dx̂·x̂)/D ), with dx̂ = dbnraw, x̂ = bnraw, s = bnvar_inv, and all rows. dx may be
// dbnraw itself.
template <class T>
void batchnorm_backward(T* dx, const T* dbnraw, const T* bnraw, const T* bnvar_inv, const T* bnvar, std::size_t n,
                        std::size_t H, Divisor divisor, double epsilon, EpsilonPlace place) {
    for (std::size_t from = 0; from < H; from += kSumColumns) {
        T mean[kSumColumns], slope[kSumColumns];
        sum_down_columns(mean, n, H, from, [=](std::size_t, std::size_t at) { return dbnraw[at]; });
        sum_down_columns(slope, n, H, from, [=](std::size_t, std::size_t at) { return dbnraw[at] * bnraw[at]; });
        const std::size_t columns = std::min(kSumColumns, H - from);
        for (std::size_t j = 0; j < columns; ++j) {
            mean[j] /= static_cast<T>(n);
            slope[j] = deviation_share(bnvar[from + j], epsilon, place) * slope[j] / divisor_of<T>(divisor, n);
        }
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                const std::size_t at = i * H + from + j;
                dx[at] = bnvar_inv[from + j] * (dbnraw[at] - mean[j] - slope[j] * bnraw[at]);
            }
        }
    }
}

// dx = γ·s·( dy − dβ/n − k·x̂·dγ/D ): the same line with the norm's own gradients, since Σdx̂ = γ·dβ and Σ(dx̂·x̂) = γ·dγ.
// dx may be dy itself.
template <class T>
void batchnorm_affine_backward(T* dx, const T* dy, const T* dbngain, const T* dbnbias, const T* bnraw, const T* bngain,
                               const T* bnvar_inv, const T* bnvar, std::size_t rows, std::size_t H, std::size_t n,
                               Divisor divisor, double epsilon, EpsilonPlace place) {
    for (std::size_t from = 0; from < H; from += kSumColumns) {
        T scale[kSumColumns], mean[kSumColumns], slope[kSumColumns];
        const std::size_t columns = std::min(kSumColumns, H - from);
        for (std::size_t j = 0; j < columns; ++j) {
            const std::size_t unit = from + j;
            scale[j] = bngain[unit] * bnvar_inv[unit];
            mean[j] = dbnbias[unit] / static_cast<T>(n);
            slope[j] = deviation_share(bnvar[unit], epsilon, place) * dbngain[unit] / divisor_of<T>(divisor, n);
        }
        for (std::size_t i = 0; i < rows; ++i) {
            for (std::size_t j = 0; j < columns; ++j) {
                const std::size_t at = i * H + from + j;
                dx[at] = scale[j] * (dy[at] - mean[j] - slope[j] * bnraw[at]);
            }
        }
    }
}

// ---- update of the running statistics ----

// new_bnmean_running = (1 − m)·bnmean_running + m·bnmeani.   m is the weight of the new value.
template <class T>
void running_mean_update(T* new_running, const T* running, const T* bnmeani, std::size_t H, double m) {
    for (std::size_t j = 0; j < H; ++j) {
        new_running[j] = static_cast<T>(1 - m) * running[j] + static_cast<T>(m) * bnmeani[j];
    }
}

// new_bnvar_running = (1 − m)·bnvar_running + m·v, where v is the batch's variance with the divisor of the running
// statistic, or its root if the running statistic is a deviation. bnvar has the batch's divisor; n is its rows.
template <class T>
void running_spread_update(T* new_running, const T* running, const T* bnvar, std::size_t H, std::size_t n,
                           Divisor batch_divisor, Divisor running_divisor, RunningSpread spread, double m) {
    using std::sqrt;
    const bool is_scaled = batch_divisor != running_divisor;
    const T scale = is_scaled ? divisor_of<T>(batch_divisor, n) / divisor_of<T>(running_divisor, n) : T(1);
    for (std::size_t j = 0; j < H; ++j) {
        T figure = bnvar[j];
        if (is_scaled) {
            figure *= scale;
        }
        if (spread == RunningSpread::deviation) {
            figure = sqrt(figure);
        }
        new_running[j] = static_cast<T>(1 - m) * running[j] + static_cast<T>(m) * figure;
    }
}

// ---- evaluation ----

// raw = (x − mean)·s, s as in batchnorm_inverse_deviation, of the running statistics: bnvar_running holds a variance,
// or a deviation, whose square is the variance.
template <class T>
void batchnorm_evaluate_raw(T* raw, const T* x, const T* bnmean_running, const T* bnvar_running, std::size_t n,
                            std::size_t H, double epsilon, EpsilonPlace place, RunningSpread spread) {
    for (std::size_t from = 0; from < H; from += kSumColumns) {  // each row's part is read in one piece
        const std::size_t count = std::min(kSumColumns, H - from);
        T scale[kSumColumns];
        for (std::size_t j = 0; j < count; ++j) {
            const T running = bnvar_running[from + j];
            const T variance = spread == RunningSpread::variance ? running : running * running;
            batchnorm_inverse_deviation(&scale[j], &variance, 1, epsilon, place);
        }
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < count; ++j) {
                const std::size_t ij = i * H + from + j;
                raw[ij] = (x[ij] - bnmean_running[from + j]) * scale[j];
            }
        }
    }
}

// y = bngain·raw + bnbias, raw as above
template <class T>
void batchnorm_evaluate(T* y, const T* x, const T* bnmean_running, const T* bnvar_running, const T* bngain,
                        const T* bnbias, std::size_t n, std::size_t H, double epsilon, EpsilonPlace place,
                        RunningSpread spread) {
    batchnorm_evaluate_raw(y, x, bnmean_running, bnvar_running, n, H, epsilon, place, spread);
    batchnorm_scale_shift(y, y, bngain, bnbias, n, H);
}

}  // namespace byhand
