// Note 1's start: the derivative of half a squared error by the probabilities, taken for that by the logits.
#pragma once

#include <cstddef>
#include <vector>

#include "lab/experiments.h"
#include "recipe/recipe.h"
#include "report/document.h"
#include "steps/step.h"

namespace byhand::lab {

struct LossOptions {
    std::vector<double> scales = {0.01, 0.1, 0.5, 1, 2, 3, 5, 10, 20, 50};  // deviations of the logits
    std::vector<double> rate_factors = {1, 30};  // the squared error is trained by the recipe's rates times these

    std::vector<OwnOption> own() {
        constexpr double kLeast = 1e-9, kMost = 1e6;
        return {
            {"--scales", "Standard deviations of the logits for which gradients are compared", &scales, kLeast, kMost},
            {"--rate-factors", "Factors of the recipe's learning rates for training with the squared error",
             &rate_factors, kLeast, kMost}};
    }
};

// Gradients at logits drawn from a normal distribution, then trainings. Throws InputError as prepare (train/run.h)
// does.
Document loss(const LossOptions& options, const Setup& setup);

// What the backward pass begins with: cross-entropy's gradient, the squared error's own, or note 1's, which takes the
// squared error's derivative by the probabilities for that by the logits.
enum class Start { cross_entropy, notes_start, squared_error };

// The collapsed network with its loss and dlogits replaced; probs is made on the way.
Graph network_from(Start start, const NetworkConfig& config, std::size_t rows);

}  // namespace byhand::lab
