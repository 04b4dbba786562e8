// Every named value of a training step, by LibTorch's operations one at a time.
#pragma once

#include <memory>

#include "base/model.h"
#include "base/network.h"
#include "torch_ref/operation.h"

namespace byhand::torch_ref {

// In DType::float32 or DType::float64. Each run starts from the state last loaded. Throws InputError as check_network
// does, and if one of the network's operations is not in `known`; run throws std::invalid_argument if the batch has a
// different number of rows.
std::unique_ptr<Implementation> stepwise(const NetworkConfig& config, std::size_t rows, DType dtype,
                                         const TorchOperations& known = torch_operations());

}  // namespace byhand::torch_ref
