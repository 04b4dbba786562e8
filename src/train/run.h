// A recipe combined with its data, the start of every run, and the training loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "names/dataset.h"
#include "names/names_file.h"
#include "names/random.h"
#include "names/vocabulary.h"
#include "recipe/recipe.h"

namespace byhand {

struct Run {
    Recipe recipe;  // its network's vocabulary is that of the data
    Vocabulary vocabulary;
    std::shared_ptr<const std::vector<char32_t>> text;  // of the names
    Split names;
    Examples train, val, test;
    Tensors<float> initial;    // the state at the first step, a table equal to state(recipe.network)
    TorchGenerator generator;  // draws the batches: the generator of the initial values, or a separate one
};

// Throws InputError if the network is invalid (check_network), a parameter has no rule, or the names are too few to
// split, too many to draw from, or need more than the memory that this process may use. `where` names the data in
// messages.
Run prepare(Recipe recipe, NamesFile data, const std::string& where);

// ---- Training ----

struct TrainHooks {
    // Called after every step with its number (from 0) and its minibatch's loss before the update.
    std::function<void(std::size_t step, float loss)> after_step = [](std::size_t, float) {};
    // Called before every step; returning true ends the training there.
    std::function<bool()> stop = [] { return false; };
    // Called whenever the number of completed steps is a multiple of this, except after the last; all parameters are
    // finite then. It may load the saved state into the model. 0: never.
    std::size_t checkpoint_every = 0;
    std::function<void(std::size_t steps)> checkpoint = [](std::size_t) {};
};

// The first step with a result that is not finite, and its inputs.
struct NotFinite {
    std::size_t step = 0;
    std::string name;        // "loss", or a parameter or running statistic after the update
    Tensors<float> state;    // before the step
    DrawnBatch batch{0, 0};  // the batch of the step
};

struct TrainOutcome {
    std::size_t steps = 0;                // completed in total, including those before `first`
    bool stopped = false;                 // by the hook
    std::optional<NotFinite> not_finite;  // training ended there; the state of the model is then unspecified
};

// Trains `model` from its current state, after `first` steps of the run's schedule, until `end` steps are completed:
// batches from run.generator, which advances, and each step's learning rate from the recipe. A loss that is not finite
// is detected immediately, a parameter after at most a thousand steps; the steps since the last check are then repeated
// with a check of everything. Preconditions: first ≤ end; the model's parameters are finite.
TrainOutcome train(Trainable& model, Run& run, std::size_t first, std::size_t end, const TrainHooks& hooks);

}  // namespace byhand
