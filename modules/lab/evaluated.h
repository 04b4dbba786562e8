// Trained values, ready for evaluation.
#pragma once

#include <memory>

#include "base/model.h"
#include "names/dataset.h"

namespace byhand::lab {

// The fused network by hand with this state; where its norms go by the figures of the training set, by those of
// `train`.
std::unique_ptr<Model> evaluated(const NetworkConfig& network, const Tensors<float>& state, const Examples& train);

}  // namespace byhand::lab
