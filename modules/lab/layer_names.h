// What the values of a layer are called that experiments look at.
#pragma once

#include <string>
#include <vector>

#include "base/network.h"

namespace byhand::lab {

// What a hidden layer's norm hands on, or its linear where there is no norm; of the output layer, the logits.
inline std::string handed_on(const Layer& layer) {
    if (layer.is_output) {
        return "logits";
    }
    return layer.value(layer.norm == NormPlace::after ? "h" : "hpreact");
}

// The layers that have a norm, in order.
inline std::vector<Layer> layers_with_norm(const NetworkConfig& config) {
    std::vector<Layer> with = layers(config);
    std::erase_if(with, [](const Layer& layer) { return layer.norm == NormPlace::none; });
    return with;
}

}  // namespace byhand::lab
