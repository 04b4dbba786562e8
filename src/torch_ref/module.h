// The network as a torch::nn module, of LibTorch's own layers wherever it has them, under torch::optim::SGD; and norms
// by themselves. All of it is one translation unit: LibTorch's headers of modules cost ten seconds wherever they are
// included.
#pragma once

#include <memory>

#include "base/model.h"
#include "base/network.h"
#include "base/norms.h"
#include "base/side.h"

namespace byhand::torch_ref {

// Shows what a module keeps: emb, embcat, hprebn (with a norm), hpreact, h, logits, loss, their gradients (but dloss),
// and all parameters and running statistics, before and after. In float. Each run begins with the state last loaded.
// Throws InputError as check_network does; run throws std::invalid_argument where the batch has another number of rows.
std::unique_ptr<Side> module_side(const NetworkConfig& config, std::size_t rows);

// The same module to train and to sample from. Throws InputError as check_network does. calibrate throws InputError
// where there is a norm and X has no row, or one alone and the running statistics divide by n − 1.
std::unique_ptr<Model> module_model(const NetworkConfig& config, std::size_t rows);

// Batch norm by these conventions, γ and β included: torch::nn::BatchNorm1d where they are its own, else Norm. `place`
// and `output` do not count.
NormAnswer batch_norm(const NormQuestion& question, const NormConfig& conventions);

// Layer norm, each row by itself: torch::layer_norm, with γ and β.
NormAnswer layer_norm(const NormQuestion& question, double epsilon);

}  // namespace byhand::torch_ref
