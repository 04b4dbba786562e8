// The first training step of a recipe, with γ and β that hide nothing.
#pragma once

#include <string>
#include <vector>

#include "lab/setting.h"
#include "names/dataset.h"
#include "train/run.h"

namespace byhand::lab {

struct FirstStep {
    Run run;               // its generator stands behind the batch
    DrawnBatch batch;      // the run's first
    Tensors<float> state;  // as the run begins, but γ and β drawn: at 1 and 0 they would hide factor and term
    const NetworkConfig& network() const { return run.recipe.network; }
};

// Throws InputError where prepare (train/run.h) does.
FirstStep first_step(const Recipe& recipe, const Material& material);

// ---- Layers ----

// What a hidden layer's norm hands on, or its linear where there is no norm; of the output layer, the logits.
inline std::string handed_on(const Layer& layer) {
    if (layer.is_output) {
        return "logits";
    }
    return layer.value(layer.has_batchnorm && !layer.has_batchnorm_first ? "h" : "hpreact");
}

// The layers that have a norm, in order.
inline std::vector<Layer> layers_with_norm(const NetworkConfig& config) {
    std::vector<Layer> with = layers(config);
    std::erase_if(with, [](const Layer& layer) { return !layer.has_batchnorm; });
    return with;
}

}  // namespace byhand::lab
