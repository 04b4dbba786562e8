// LibTorch's answers to norms over rows of numbers.
#pragma once

#include "base/network.h"
#include "base/norms.h"

namespace byhand::torch_ref {

// Batch norm by these conventions, γ and β included: torch::nn::BatchNorm1d where they are its own, else Norm. `place`
// and `output` do not count.
NormAnswer batch_norm(const NormQuestion& question, const NormConfig& conventions);

// Layer norm, each row by itself: torch::layer_norm, with γ and β.
NormAnswer layer_norm(const NormQuestion& question, double epsilon);

}  // namespace byhand::torch_ref
