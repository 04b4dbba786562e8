// Trainings that an experiment sets side by side, and the first step of one.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "lab/experiments.h"
#include "names/dataset.h"
#include "train/run.h"

namespace byhand::lab {

// One training. What differs from a plain one is said by functions; those left empty change nothing.
struct Training {
    Recipe recipe;  // with its seed, its rates and so many steps
    // The implementation; the hand-written fused network if empty.
    std::function<std::unique_ptr<Trainable>(const NetworkConfig& network, std::size_t rows)> make = nullptr;
    std::function<void(Run& run)> prepare = nullptr;  // changes what the run begins with
    // Called before the first step (0) and after every step (1 …).
    std::function<void(std::size_t steps, Trainable& model)> watch = nullptr;
};

struct Trained {
    // The minibatch losses, the mean of each `kWindow` steps.
    std::vector<double> curve;
    bool finite = true;  // false: a loss was not, and the training ended there
    // Mean cross-entropy at the end in evaluation mode, in nats: over the validation part, and over as many examples
    // of the training part.
    double train = NAN, val = NAN;
    double late_deviation = NAN;  // of the minibatch losses over the last half of the steps, if all is finite
    Tensors<float> state;
};
inline constexpr std::size_t kWindow = 100;

// Throws InputError where prepare (train/run.h) does.
Trained train_one(const Training& training, const Material& material);

// In the order given, on all cores. Throws as above.
std::vector<Trained> train_all(const std::vector<Training>& trainings, const Material& material,
                               const Setting& setting);

// ---- The first training step of a recipe, with γ and β that hide nothing ----

struct FirstStep {
    Run run;               // its generator stands behind the batch
    DrawnBatch batch;      // the run's first
    Tensors<float> state;  // as the run begins, but γ and β drawn: at 1 and 0 they would hide factor and term
    const NetworkConfig& network() const { return run.recipe.network; }
};

// Throws InputError where prepare (train/run.h) does.
FirstStep first_step(const Recipe& recipe, const Material& material);

// The tensor in double.
template <class T>
std::vector<double> copy_of(const Tensors<T>& tensors, const std::string& name) {
    const auto values = tensors[name];
    return {values.begin(), values.end()};
}

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

// ---- Independent parts of work, on all cores ----

// Runs part(0) … part(parts − 1), on as many threads as there are cores; which thread runs which part is left to
// chance, so no part may depend on another. `done` is called before the first begins, with 0, and as each ends, one
// call at a time. Where a part throws, no new one is begun, and what it threw is thrown here.
void in_parallel(std::size_t parts, const std::function<void(std::size_t part)>& part,
                 const std::function<void(std::size_t done, std::size_t parts)>& done);

}  // namespace byhand::lab
