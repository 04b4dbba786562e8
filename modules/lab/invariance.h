// Note 2: the output of a batch norm does not depend on the scale of its input, in the note's example and for the
// weights of a whole layer.
#pragma once

#include <string>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "base/tensors.h"
#include "lab/experiments.h"
#include "report/document.h"

namespace byhand::lab {

struct InvarianceOptions {
    std::vector<double> values = {2, 0, 2, 4};  // of one unit, a row of the batch each
    std::vector<double> alphas =
        {};  // factors of the values and of a layer's weights, besides 1; empty: 100, and 1e-3 to 1e3
    double gain = 1.5, bias = 0.5;  // γ and β of the unit

    std::vector<OwnOption> own() {
        return {{"--values", "Values of one unit, a row of the batch each", &values},
                {"--alpha",
                 "Factors of the values and of a layer's weights, besides 1 [100 for the values, 0.001 to 1000 for the "
                 "weights]",
                 &alphas},
                {"--gain", "γ of the unit", &gain},
                {"--bias", "β of the unit", &bias}};
    }
};

// Throws InputError if the values are fewer than two, all equal or beyond what float can square, or if a factor is not
// positive, and as prepare (train/run.h) does. ε is that of the first recipe.
Document invariance(const InvarianceOptions& options, const Setup& setup);

// A network in which the weights of one layer, and its bias with them, are multiplied by α. Changes are measured from
// the network as it is.
struct Scaled {
    double alpha = 1;
    double result_change = 0;    // of the layer's result, over its largest magnitude
    double loss_change = 0;      // over the loss
    double gradient_change = 0;  // of α·dW, element by element, over the largest magnitude of dW
};
struct ScaledLayer {
    Layer layer;
    std::string result;          // the name of the layer's result
    std::vector<Scaled> scaled;  // an α each
};

// Each layer by itself, on one training step from `state`, a table equal to state(config), in double.
std::vector<ScaledLayer> scale_layers(const NetworkConfig& config, const Tensors<float>& state, const Batch& batch,
                                      const std::vector<double>& alphas);

}  // namespace byhand::lab
