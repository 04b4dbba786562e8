// The torch::nn module in a comparison.
#pragma once

#include <memory>

#include "base/network.h"
#include "base/side.h"

namespace byhand::torch_ref {

// Shows what a module keeps: emb, embcat, hprebn (with a norm), hpreact, h, logits, loss, their gradients (but dloss),
// and all parameters and running figures, before and after. In float. Each run begins with the state last loaded.
// Throws InputError as check_network does; run throws std::invalid_argument where the batch has another number of rows.
std::unique_ptr<Side> module_side(const NetworkConfig& config, std::size_t rows);

}  // namespace byhand::torch_ref
