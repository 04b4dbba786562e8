// Batch norm without its padding, and layer norm, outside any network: what norm_steps.h is for batch norm.
#pragma once

#include <vector>

#include "lab/norm_steps.h"
#include "manual/batchnorm/masked.h"
#include "manual/layernorm/formulas.h"

namespace byhand::lab {

using Mask = std::vector<unsigned char>;  // one a row; 0 where it is padding

// Precondition: a row whose mask is set, two with divisor n − 1.
template <class T>
NormForward<T> masked_forward(const NormInput<T>& in, const Mask& mask, const NormConfig& norm) {
    const std::size_t n = in.n, H = in.H;
    NormForward<T> f = room_for_norm<T>(n, H);
    masked_batchnorm_mean(f.bnmeani.data(), in.x.data(), mask.data(), n, H);
    masked_batchnorm_difference(f.bndiff.data(), in.x.data(), f.bnmeani.data(), mask.data(), n, H);
    batchnorm_square(f.bndiff2.data(), f.bndiff.data(), n * H);
    masked_batchnorm_variance(f.bnvar.data(), f.bndiff2.data(), mask.data(), n, H, norm.batch_divisor);
    batchnorm_inverse_deviation(f.bnvar_inv.data(), f.bnvar.data(), H, norm.epsilon, norm.epsilon_place);
    batchnorm_normalise(f.bnraw.data(), f.bndiff.data(), f.bnvar_inv.data(), n, H);
    masked_batchnorm_scale_shift(f.y.data(), f.bnraw.data(), in.gain.data(), in.bias.data(), mask.data(), n, H);
    return f;
}

template <class T>
NormBackward<T> masked_backward(const NormInput<T>& in, const Mask& mask, const NormForward<T>& f,
                                const NormConfig& norm) {
    const std::size_t n = in.n, H = in.H;
    NormBackward<T> b = room_for_norm_backward<T>(n, H);
    masked_batchnorm_gain_backward(b.dbngain.data(), in.dy.data(), f.bnraw.data(), mask.data(), n, H);
    masked_batchnorm_bias_backward(b.dbnbias.data(), in.dy.data(), mask.data(), n, H);
    masked_batchnorm_raw_backward(b.dbnraw.data(), in.dy.data(), in.gain.data(), mask.data(), n, H);
    batchnorm_inverse_deviation_backward(b.dbnvar_inv.data(), b.dbnraw.data(), f.bndiff.data(), n, H);
    batchnorm_variance_backward(b.dbnvar.data(), b.dbnvar_inv.data(), f.bnvar.data(), H, norm.epsilon,
                                norm.epsilon_place);
    masked_batchnorm_square_sum_backward(b.dbndiff2.data(), b.dbnvar.data(), mask.data(), n, H, norm.batch_divisor);
    batchnorm_difference_backward(b.dbndiff.data(), b.dbnraw.data(), f.bnvar_inv.data(), b.dbndiff2.data(),
                                  f.bndiff.data(), n, H);
    batchnorm_mean_backward(b.dbnmeani.data(), b.dbndiff.data(), n, H);
    masked_batchnorm_input_backward(b.dx.data(), b.dbndiff.data(), b.dbnmeani.data(), mask.data(), n, H);
    return b;
}

template <class T>
struct LayerNormForward {
    std::vector<T> lnmean, lndiff, lndiff2, lnvar, lnvar_inv, lnraw, y;
};

template <class T>
LayerNormForward<T> layer_forward(const NormInput<T>& in, double epsilon) {
    const std::size_t n = in.n, H = in.H;
    LayerNormForward<T> f;
    for (std::vector<T>* all : {&f.lndiff, &f.lndiff2, &f.lnraw, &f.y}) {
        all->resize(n * H);
    }
    for (std::vector<T>* rows : {&f.lnmean, &f.lnvar, &f.lnvar_inv}) {
        rows->resize(n);
    }
    row_mean(f.lnmean.data(), in.x.data(), n, H);
    layernorm_difference(f.lndiff.data(), in.x.data(), f.lnmean.data(), n, H);
    row_square(f.lndiff2.data(), f.lndiff.data(), n * H);
    row_mean(f.lnvar.data(), f.lndiff2.data(), n, H);
    row_inverse_root(f.lnvar_inv.data(), f.lnvar.data(), n, epsilon);
    row_normalise(f.lnraw.data(), f.lndiff.data(), f.lnvar_inv.data(), n, H);
    batchnorm_scale_shift(f.y.data(), f.lnraw.data(), in.gain.data(), in.bias.data(), n, H);
    return f;
}

template <class T>
struct LayerNormBackward {
    std::vector<T> dlngain, dlnbias, dlnraw, dx;
};

template <class T>
LayerNormBackward<T> layer_backward(const NormInput<T>& in, const LayerNormForward<T>& f) {
    const std::size_t n = in.n, H = in.H;
    LayerNormBackward<T> b{std::vector<T>(H), std::vector<T>(H), std::vector<T>(n * H), std::vector<T>(n * H)};
    batchnorm_gain_backward(b.dlngain.data(), in.dy.data(), f.lnraw.data(), n, H);
    batchnorm_bias_backward(b.dlnbias.data(), in.dy.data(), n, H);
    batchnorm_raw_backward(b.dlnraw.data(), in.dy.data(), in.gain.data(), n, H);
    layernorm_backward(b.dx.data(), b.dlnraw.data(), f.lnraw.data(), f.lnvar_inv.data(), n, H);
    return b;
}

// The rows whose mask is set.
template <class T>
std::vector<T> packed(const std::vector<T>& rows, const Mask& mask) {
    const std::size_t H = rows.size() / mask.size();
    std::vector<T> kept;
    kept.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (mask[i / H] != 0) {
            kept.push_back(rows[i]);
        }
    }
    return kept;
}
template <class T>
NormInput<T> packed(const NormInput<T>& in, const Mask& mask) {
    return {unmasked_rows(mask.data(), in.n), in.H, packed(in.x, mask), packed(in.dy, mask), in.gain, in.bias};
}

}  // namespace byhand::lab
