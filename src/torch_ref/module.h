// The network as a torch::nn module, of LibTorch's own layers where they exist, trained with torch::optim; and batch
// norm in isolation. All of it is one translation unit: LibTorch's module headers cost ten seconds wherever they are
// included.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "base/model.h"
#include "base/network.h"

namespace byhand::torch_ref {

// The network as a module, in float, to train and, with Keep::all, to compare. It then exposes the state before and
// after (base/network.h) and between them emb, embcat, hprebn (with a norm), hpreact, h, logits, loss and their
// gradients (except dloss); in parts the logits of this rank's rows, the loss, and the gradients of the parameters.
// What is computed in parts does not depend on the number of ranks as long as LibTorch and its BLAS use one thread
// each. Throws InputError as check_network does; a step throws std::invalid_argument if the batch has a different
// number of rows; calibrate throws InputError if there is a norm and X has no rows, or only one and the running
// statistics divide by n − 1.
std::unique_ptr<Trainable> module_model(const NetworkConfig& config, std::size_t rows, Keep keep = Keep::needed,
                                        const Division& division = {});

// The tensors of a norm's module, (H) each; undefined ones keep the module's initial values.
struct NormTensors {
    at::Tensor gain, bias, running_mean, running_spread;
};

// Batch norm of x (n, H) by a module with γ and β: torch::nn::BatchNorm1d if the conventions are its own, else Norm. In
// training it updates the running statistics that are passed. `place`, `output` and `affine` are ignored.
at::Tensor batch_norm(const at::Tensor& x, const NormTensors& given, NormConfig conventions, bool training);

}  // namespace byhand::torch_ref
