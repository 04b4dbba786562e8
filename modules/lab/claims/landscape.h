// How the gradient of a layer changes when the layers before it are updated, and how the loss varies along the
// gradient: the measures of Santurkar, Tsipras, Ilyas and Mądry (2018), definition 2.1 and figure 4.
#pragma once

#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "steps/runner.h"

namespace byhand::lab {

// ‖G − G′‖, the mean of the layers: G is the gradient to a layer's weights at the parameters of a step; G′ is the same
// on the same batch once all layers before it (the embedding is the first) have taken the step, and no other has.
// `runner` has the steps of stepwise_graph; `state` is a table equal to state(config).
double covariate_shift(Runner<double>& runner, const Tensors<float>& state, const Batch& batch, double rate);

// The largest less the least loss at these distances downhill along the gradient of all parameters: η times the
// gradient. Precondition: there is a distance.
double variation_along_gradient(Runner<double>& runner, const Tensors<float>& state, const Batch& batch,
                                const std::vector<double>& distances);

}  // namespace byhand::lab
