// The torch::nn module to train and to sample from.
#pragma once

#include <memory>

#include "base/model.h"
#include "base/network.h"

namespace byhand::torch_ref {

// Throws InputError as check_network does. calibrate throws InputError where there is a norm and X has no row, or one
// alone and the running figures divide by n − 1.
std::unique_ptr<Model> module_model(const NetworkConfig& config, std::size_t rows);

}  // namespace byhand::torch_ref
