// Batch normalisation by every convention of NormConfig, as a torch::nn module. torch::nn::BatchNorm1d has one of them.
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "base/network.h"

namespace byhand::torch_ref {

struct NormOptions {
    std::int64_t features = 0;
    NormConfig conventions;  // where the norm stands is not its own affair
};

// In training it normalises by the batch and updates its running figures, in evaluation it normalises by those.
// The epsilon stands the same way in both, and a running deviation d is a variance of d².
class NormImpl : public torch::nn::Module {
public:
    explicit NormImpl(const NormOptions& options);

    // (rows, features) → (rows, features).
    torch::Tensor forward(const torch::Tensor& x);

    // All (features).
    torch::Tensor weight;  // undefined without γ and β, as is bias
    torch::Tensor bias;
    torch::Tensor running_mean;
    torch::Tensor running_spread;

private:
    torch::Tensor normalised(const torch::Tensor& x, const torch::Tensor& mean, const torch::Tensor& variance) const;
    void update_running(const torch::Tensor& mean, const torch::Tensor& variance, std::int64_t rows);

    NormConfig conventions_;
};
TORCH_MODULE(Norm);

// What a running figure of spread holds for a variance with the running figure's divisor.
torch::Tensor running_spread_of(const NormConfig& conventions, const torch::Tensor& variance);

}  // namespace byhand::torch_ref
