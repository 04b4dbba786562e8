// What becomes of a network when the weights of one of its layers, and its bias with them, are multiplied by α.
#pragma once

#include <string>
#include <vector>

#include "base/batch.h"
#include "base/network.h"
#include "base/tensors.h"

namespace byhand::lab {

// Changes are measured from what there is at α = 1.
struct Scaled {
    double alpha = 1;
    double result_change = 0;    // of what the layer hands on, over its largest magnitude
    double loss_change = 0;      // over the loss
    double gradient_ratio = 1;   // α·‖dW‖
    double gradient_change = 0;  // of α·dW, element by element, over the largest magnitude of dW
    // Of the unit with the smallest deviation: by what share its normalised values' deviation falls short of 1. NaN
    // where no norm stands straight behind the linear.
    double shortfall = 0;
};

struct ScaledLayer {
    Layer layer;
    std::string result;          // the name of what the layer hands on
    double least_deviation = 0;  // σ of the unit with the smallest one at α = 1; NaN as above
    std::vector<Scaled> scaled;  // an α each
};

// Each layer by itself, on one training step from `state`, a table equal to state(config), in double.
std::vector<ScaledLayer> scale_layers(const NetworkConfig& config, const Tensors<float>& state, const Batch& batch,
                                      const std::vector<double>& alphas);

}  // namespace byhand::lab
