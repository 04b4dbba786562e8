// The network as a torch::nn module, of LibTorch's own layers where they exist, trained with torch::optim; and batch
// norm in isolation. All of it is one translation unit: LibTorch's module headers cost ten seconds wherever they are
// included.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>

#include "base/group.h"
#include "base/model.h"
#include "base/network.h"

namespace byhand::torch_ref {

// Exposes the values of a module: emb, embcat, hprebn (with a norm), hpreact, h, logits, loss, their gradients (except
// dloss), and the state (base/network.h), before and after. In float. Each run starts from the state last loaded.
// Throws InputError as check_network does; run throws std::invalid_argument if the batch has a different number of
// rows.
std::unique_ptr<Implementation> module_implementation(const NetworkConfig& config, std::size_t rows);

// The same in parts, as module_model_in_parts below. Exposes the logits of this rank's rows, the loss, the gradients of
// the parameters, and the state before and after.
std::unique_ptr<Implementation> module_implementation_in_parts(const NetworkConfig& config, std::size_t rows,
                                                               std::size_t parts, Group& group);

// The same module for training and sampling. Throws InputError as check_network does. calibrate throws InputError if
// there is a norm and X has no rows, or only one and the running statistics divide by n − 1.
std::unique_ptr<Model> module_model(const NetworkConfig& config, std::size_t rows);

// The same with the rows of each batch in `parts` parts, shared out to the ranks of `group`, which must outlive the
// model (base/parts.h): what is computed does not depend on the number of ranks, as long as LibTorch and its BLAS use
// one thread each. Each step requires the whole batch on all ranks. Precondition: 0 < parts ≤ rows.
std::unique_ptr<Model> module_model_in_parts(const NetworkConfig& config, std::size_t rows, std::size_t parts,
                                             Group& group);

// The tensors of a norm's module, (H) each; undefined ones keep the module's initial values.
struct NormTensors {
    at::Tensor gain, bias, running_mean, running_spread;
};

// Batch norm of x (n, H) by a module with γ and β: torch::nn::BatchNorm1d if the conventions are its own, else Norm. In
// training it updates the running statistics that are passed. `place`, `output` and `affine` are ignored.
at::Tensor batch_norm(const at::Tensor& x, const NormTensors& given, NormConfig conventions, bool training);

}  // namespace byhand::torch_ref
