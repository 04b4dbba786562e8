// Every named value of a training step, by LibTorch's operations one at a time.
#pragma once

#include <memory>
#include <string>

#include "base/model.h"
#include "base/network.h"
#include "base/reference_operations.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {

// In DType::float32 or DType::float64. Each run starts from the state last loaded. Throws InputError as check_network
// does, and if one of the network's operations is not in `known`; run throws std::invalid_argument if the batch has a
// different number of rows.
std::unique_ptr<Model> stepwise(const NetworkConfig& config, std::size_t rows, DType dtype,
                                const TorchOperations& known = torch_operations());

// ---- Reference operations, in double: the single steps of a network, and an operation by itself ----

// The steps of the stepwise network; of the collapsed one, where dlogits and the loss are computed from the logits and
// Y, and dhprebn from dbnraw; of the fused one, where in addition bnvar is computed from bndiff, dhprebn from the
// gradients of the norm's result, bngain and bnbias, and counts are included. Throws InputError where check_network
// does, and if one of the network's operations is not in `known`.
std::unique_ptr<ReferenceOperations> reference_operations(HandForm form, const NetworkConfig& config, std::size_t rows,
                                                          const TorchOperations& known = torch_operations());

// An operation of (rows, columns) in one step, with the gradients of its inputs. Throws InputError if `op` is not one
// of these:
// batchnorm      hpreact from hprebn, bngain and bnbias, by a module of `norm` (module.h); new_X of its running
//                statistics, and eval_hpreact by them
// layernorm      hpreact from hpreln, lngain and lnbias, with the ε of `norm`
// rmsnorm        hpreact from hprerms and rmsgain, likewise
// cross_entropy  loss from logits and Y: the mean over the rows
// squared_error  loss from logits and Y: half of the mean over the rows of the squared distance between softmax and the
// one-hot target
std::unique_ptr<ReferenceOperations> single_operation(const std::string& op, const NormConfig& norm, std::size_t rows,
                                                      std::size_t columns);

}  // namespace byhand::torch_ref
