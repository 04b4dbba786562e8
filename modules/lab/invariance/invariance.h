// Note 2: the output of a batch norm does not depend on the scale of its input, in the note's example and for the
// weights of a whole layer.
#pragma once

#include <string>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "base/tensors.h"
#include "lab/setting.h"
#include "recipe/recipe.h"
#include "report/document.h"

namespace byhand::lab {

struct InvarianceOptions {
    std::vector<double> values = {2, 0, 2, 4};  // of one unit, a row of the batch each
    std::vector<double> scales = {100};         // the same values times each of these
    double gain = 1.5, bias = 0.5;              // γ and β of the unit
    double epsilon = 1e-5;
    std::vector<double> alphas = {1e-3, 1e-2, 0.1, 1, 10, 100, 1000};  // factors of a layer's weights
    std::vector<Recipe> recipes = {};                                  // whose networks' layers are scaled
};

// Throws InputError where the values are fewer than two, all equal or beyond what float can square, where a scale is
// not positive, and as prepare (train/run.h) does.
Document invariance(const InvarianceOptions& options, const Material& material, const Setting& setting);

// Differences up to this share of a value are those of rounding, in double.
inline constexpr double kRounding = 1e-9;

// The same of the layers of a network: every layer of every recipe on its first batch, γ and β drawn.
void add_layers(Document& document, const InvarianceOptions& options, const Material& material);

// A network in which the weights of one layer, and its bias with them, are multiplied by α. Changes are measured from
// α = 1.
struct Scaled {
    double alpha = 1;
    double result_change = 0;    // of the layer's result, over its largest magnitude
    double loss_change = 0;      // over the loss
    double gradient_ratio = 1;   // α·‖dW‖
    double gradient_change = 0;  // of α·dW, element by element, over the largest magnitude of dW
    // In the unit with the smallest deviation: by what share the deviation of its normalised values falls short of 1.
    // NaN where no norm stands straight behind the linear.
    double shortfall = 0;
};
struct ScaledLayer {
    Layer layer;
    std::string result;          // the name of the layer's result
    double least_deviation = 0;  // σ of the unit with the smallest one at α = 1; NaN as above
    std::vector<Scaled> scaled;  // an α each
};

// Each layer by itself, on one training step from `state`, a table equal to state(config), in double.
std::vector<ScaledLayer> scale_layers(const NetworkConfig& config, const Tensors<float>& state, const Batch& batch,
                                      const std::vector<double>& alphas);

}  // namespace byhand::lab
