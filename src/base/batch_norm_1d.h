// The conventions of torch::nn::BatchNorm1d: divisor n in the batch, n − 1 in the running variance, epsilon inside the
// root.
#pragma once

#include "base/network.h"

namespace byhand {

// Whether the norm follows these conventions.
inline bool is_batch_norm_1d(const NormConfig& norm) {
    return norm.batch_divisor == Divisor::n && norm.running_divisor == Divisor::n_minus_1 &&
           norm.running_spread == RunningSpread::variance && norm.epsilon_place == EpsilonPlace::inside;
}

// The norm with these conventions, including evaluation by running statistics; place, γ and β, and momentum stay. An ε
// of 0 becomes BatchNorm1d's 1e-5.
inline NormConfig as_batch_norm_1d(NormConfig norm) {
    norm.batch_divisor = Divisor::n;
    norm.running_divisor = Divisor::n_minus_1;
    norm.running_spread = RunningSpread::variance;
    norm.evaluation = EvaluationFigures::running;
    norm.epsilon_place = EpsilonPlace::inside;
    norm.epsilon = norm.epsilon == 0 ? 1e-5 : norm.epsilon;
    return norm;
}

}  // namespace byhand
