// The training loop.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

#include "base/model.h"
#include "base/tensors.h"
#include "names/batches.h"
#include "train/run.h"

namespace byhand {

struct TrainHooks {
    // Called after every step with its number (from 0) and its minibatch's loss before the update.
    std::function<void(std::size_t step, float loss)> after_step = [](std::size_t, float) {};
    // Asked before every step; true ends the training there.
    std::function<bool()> stop = [] { return false; };
    // Called whenever the steps carried out are a multiple of this, but for the last; all parameters are finite then.
    // It may load into the model what it has saved. 0: never.
    std::size_t checkpoint_every = 0;
    std::function<void(std::size_t steps)> checkpoint = [](std::size_t) {};
};

// The first step that made something that is not finite, and what it began with.
struct NotFinite {
    std::size_t step = 0;
    std::string name;        // "loss", else a parameter or running figure after the update
    Tensors<float> state;    // before the step
    DrawnBatch batch{0, 0};  // what the step saw
};

struct TrainOutcome {
    std::size_t steps = 0;                // carried out in all, those before `first` among them
    bool stopped = false;                 // by the hook
    std::optional<NotFinite> not_finite;  // training ended there; the model stands anywhere
};

// Trains `model` from where it stands, after `first` steps of the run's schedule, until it has `end`: batches from
// run.generator, which moves on, and each step's learning rate by the recipe. A loss that is not finite is seen at
// once, a parameter after a thousand steps at most; the steps since the last time that all were finite are then carried
// out again, looking at everything. Preconditions: first ≤ end; the model's parameters are finite.
TrainOutcome train(Model& model, Run& run, std::size_t first, std::size_t end, const TrainHooks& hooks);

}  // namespace byhand
