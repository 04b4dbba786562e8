// How the gradient of one layer changes when the layers before it are updated, and how the loss and its gradient change
// along the gradient: the measures of Santurkar, Tsipras, Ilyas and Mądry, "How Does Batch Normalization Help
// Optimization?" (2018), definition 2.1 and figure 4.
#pragma once

#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "steps/runner.h"

namespace byhand::lab {

// G is the gradient to the layer's weights W at the parameters of a step; G′ is the same on the same batch once all
// layers before it (the embedding is the first) have taken the step, and no other has.
struct LayerShift {
    double gradient = 0;    // ‖G‖
    double difference = 0;  // ‖G − G′‖: internal covariate shift by definition 2.1; 0 would be none
    double cosine = 0;      // of G and G′; 1 would be none
    double input = 0;       // how much what the layer reads changes by it: ‖x − x′‖ over ‖x‖
};

// At some distances along the gradient of all parameters, downhill: η times the gradient.
struct Smoothness {
    // ‖∇L‖, to compare with.
    double length = 0;
    // The largest less the least loss found there.
    double loss = 0;
    // The largest ‖∇L − ∇L′‖ ("gradient predictiveness": the less, the better predicted).
    double gradient = 0;
    // The largest of the same over the distance: "effective β-smoothness".
    double beta = 0;
};

// Layer by layer, the output last. `runner` has the steps of stepwise_graph; `state` is a table equal to state(config).
std::vector<LayerShift> layer_shifts(Runner<double>& runner, const Tensors<float>& state, const Batch& batch,
                                     double rate);

// Precondition: there is a distance, and none is 0.
Smoothness along_gradient(Runner<double>& runner, const Tensors<float>& state, const Batch& batch,
                          const std::vector<double>& distances);

}  // namespace byhand::lab
