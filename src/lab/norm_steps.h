// One batch norm by hand, outside any network, with every value kept: the functions of manual/batchnorm/formulas.h in
// their order.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/network.h"
#include "byhand/view.h"
#include "lab/operation.h"
#include "manual/batchnorm/formulas.h"

namespace byhand::lab {

// What goes in. T is float, double, long double or Rounded.
template <class T>
struct NormInput {
    std::size_t n = 0, H = 0;   // rows, columns
    std::vector<T> x, dy;       // (n, H); dy is wanted by the backward pass only
    std::vector<T> gain, bias;  // (H)
};

template <class T>
struct NormForward {
    std::vector<T> bnmeani, bndiff, bndiff2, bnvar, bnvar_inv, bnraw, y;
};

template <class T>
struct NormBackward {
    std::vector<T> dbngain, dbnbias, dbnraw, dbnvar_inv, dbnvar, dbndiff2, dbndiff, dbnmeani, dx;
};

template <class T>
NormForward<T> room_for_norm(std::size_t n, std::size_t H) {
    NormForward<T> f;
    for (std::vector<T>* rows : {&f.bndiff, &f.bndiff2, &f.bnraw, &f.y}) {
        rows->resize(n * H);
    }
    for (std::vector<T>* columns : {&f.bnmeani, &f.bnvar, &f.bnvar_inv}) {
        columns->resize(H);
    }
    return f;
}
template <class T>
NormBackward<T> room_for_norm_backward(std::size_t n, std::size_t H) {
    NormBackward<T> b;
    for (std::vector<T>* rows : {&b.dbnraw, &b.dbndiff2, &b.dbndiff, &b.dx}) {
        rows->resize(n * H);
    }
    for (std::vector<T>* columns : {&b.dbngain, &b.dbnbias, &b.dbnvar_inv, &b.dbnvar, &b.dbnmeani}) {
        columns->resize(H);
    }
    return b;
}

// Of a norm's conventions these count: the batch's divisor, ε and its place.
template <class T>
NormForward<T> norm_forward(const NormInput<T>& in, const NormConfig& norm) {
    const std::size_t n = in.n, H = in.H;
    NormForward<T> f = room_for_norm<T>(n, H);
    batchnorm_mean(f.bnmeani.data(), in.x.data(), n, H);
    batchnorm_difference(f.bndiff.data(), in.x.data(), f.bnmeani.data(), n, H);
    batchnorm_square(f.bndiff2.data(), f.bndiff.data(), n * H);
    batchnorm_variance(f.bnvar.data(), f.bndiff2.data(), n, H, norm.batch_divisor);
    batchnorm_inverse_deviation(f.bnvar_inv.data(), f.bnvar.data(), H, norm.epsilon, norm.epsilon_place);
    batchnorm_normalise(f.bnraw.data(), f.bndiff.data(), f.bnvar_inv.data(), n, H);
    batchnorm_scale_shift(f.y.data(), f.bnraw.data(), in.gain.data(), in.bias.data(), n, H);
    return f;
}

template <class T>
NormBackward<T> norm_backward(const NormInput<T>& in, const NormForward<T>& f, const NormConfig& norm) {
    const std::size_t n = in.n, H = in.H;
    NormBackward<T> b = room_for_norm_backward<T>(n, H);
    batchnorm_gain_backward(b.dbngain.data(), in.dy.data(), f.bnraw.data(), n, H);
    batchnorm_bias_backward(b.dbnbias.data(), in.dy.data(), n, H);
    batchnorm_raw_backward(b.dbnraw.data(), in.dy.data(), in.gain.data(), n, H);
    batchnorm_inverse_deviation_backward(b.dbnvar_inv.data(), b.dbnraw.data(), f.bndiff.data(), n, H);
    batchnorm_variance_backward(b.dbnvar.data(), b.dbnvar_inv.data(), f.bnvar.data(), H, norm.epsilon,
                                norm.epsilon_place);
    batchnorm_square_sum_backward(b.dbndiff2.data(), b.dbnvar.data(), n, H, norm.batch_divisor);
    batchnorm_difference_backward(b.dbndiff.data(), b.dbnraw.data(), f.bnvar_inv.data(), b.dbndiff2.data(),
                                  f.bndiff.data(), n, H);
    batchnorm_mean_backward(b.dbnmeani.data(), b.dbndiff.data(), n, H);
    batchnorm_input_backward(b.dx.data(), b.dbndiff.data(), b.dbnmeani.data(), n, H);
    return b;
}

template <class To, class From>
NormInput<To> as(const NormInput<From>& in) {
    return {in.n, in.H, as<To>(in.x), as<To>(in.dy), as<To>(in.gain), as<To>(in.bias)};
}

// The same input under the names by which LibTorch is asked: hprebn, dhpreact, and gain and bias as they are called.
inline std::vector<View> views_of(const NormInput<double>& in, const std::string& norm = "bn") {
    return {{"hpre" + norm, {in.n, in.H}, DType::float64, in.x.data()},
            {"dhpreact", {in.n, in.H}, DType::float64, in.dy.data()},
            {norm + "gain", {in.H}, DType::float64, in.gain.data()},
            {norm + "bias", {in.H}, DType::float64, in.bias.data()}};
}
std::vector<View> views_of(NormInput<double>&& in, const std::string& norm = "") = delete;

}  // namespace byhand::lab
