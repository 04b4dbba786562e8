// The network as a torch::nn module, of LibTorch's own layers wherever it has them, under torch::optim::SGD; and batch
// norm by itself. All of it is one translation unit: LibTorch's headers of modules cost ten seconds wherever they are
// included.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "base/implementation.h"
#include "base/model.h"
#include "base/network.h"

namespace byhand::torch_ref {

// Shows what a module keeps: emb, embcat, hprebn (with a norm), hpreact, h, logits, loss, their gradients (but dloss),
// and the state (base/network.h), before and after. In float. Each run begins with the state last loaded.
// Throws InputError as check_network does; run throws std::invalid_argument where the batch has another number of rows.
std::unique_ptr<Implementation> module_implementation(const NetworkConfig& config, std::size_t rows);

// The same module to train and to sample from. Throws InputError as check_network does. calibrate throws InputError
// where there is a norm and X has no row, or one alone and the running statistics divide by n − 1.
std::unique_ptr<Model> module_model(const NetworkConfig& config, std::size_t rows);

// What a norm's module has of its own, (H) each; where one is undefined, the module's own first values stay.
struct NormTensors {
    at::Tensor gain, bias, running_mean, running_spread;
};

// Batch norm of x (n, H) by a module with γ and β: torch::nn::BatchNorm1d where the conventions are its own, else Norm.
// In training it updates the running statistics that are given. `place`, `output` and `affine` do not count.
at::Tensor batch_norm(const at::Tensor& x, const NormTensors& given, NormConfig conventions, bool training);

}  // namespace byhand::torch_ref
