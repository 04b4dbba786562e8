// Networks that go back from another loss than cross-entropy, and how well they do.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "lab/setting.h"
#include "recipe/recipe.h"
#include "steps/step.h"

namespace byhand::lab {

// What the backward pass begins with: cross-entropy's gradient, the squared error's own, or note 1's, which takes the
// squared error's derivative by the probabilities for that by the logits.
enum class Start { cross_entropy, notes_start, squared_error };

// The collapsed network with its loss and dlogits exchanged; probs is made on the way.
Graph network_from(Start start, const NetworkConfig& config, std::size_t rows);

struct LossTraining {
    std::string name;
    Start start = Start::cross_entropy;
    double rate_factor = 1;  // on every rate of the recipe
};

// Both losses over validation examples, in evaluation mode: means over them.
struct Losses {
    double cross_entropy = std::numeric_limits<double>::quiet_NaN();
    double squared_error = std::numeric_limits<double>::quiet_NaN();
};

// NaN where the training had come to values that are not finite, and ended.
struct LossTrained {
    std::vector<Losses> curve;  // at curve_points, over the first of the validation examples
    Losses final;               // over all of them
};

// The steps after which the curve's points are taken, from 0 to the last.
std::vector<std::size_t> curve_points(std::size_t steps);

// Each on every seed: results[training][seed].
std::vector<std::vector<LossTrained>> train_losses(const std::vector<LossTraining>& trainings, const Recipe& recipe,
                                                   const Seeds& seeds, const Material& material,
                                                   const Setting& setting);

}  // namespace byhand::lab
