// The training loop.
#pragma once

#include <cstddef>
#include <functional>

#include "base/model.h"
#include "train/run.h"

namespace byhand {

struct TrainHooks {
    // Called after every step with its number (from 0) and its minibatch's loss before the update.
    std::function<void(std::size_t step, float loss)> after_step;
    // Asked before every step; true ends the training there.
    std::function<bool()> stop;
};

struct TrainOutcome {
    std::size_t steps = 0;  // that were carried out
    bool stopped = false;   // by the hook
    bool finite = true;     // false: the last step's loss was not, and training ended there
};

// Trains `model` from where it stands for `steps` steps of the run's schedule: batches from run.generator, which moves
// on, and each step's learning rate by the recipe.
TrainOutcome train(Model& model, Run& run, std::size_t steps, const TrainHooks& hooks);

}  // namespace byhand
