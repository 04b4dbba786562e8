// Resuming a training from its checkpoint: what must be unchanged.
#pragma once

#include <string>
#include <vector>

#include "train/run.h"
#include "train/saved_model.h"

namespace byhand::cli {

// What has changed, each in a few words: data, vocabulary, model, keys of the recipe. Excludes the number of steps and
// what does not affect a step (the recipe's name, the seed of `sample`).
std::vector<std::string> changes(const SavedModel& saved, const Recipe& recipe, const Vocabulary& vocabulary,
                                 const std::string& model, std::uint64_t data_hash);

// Restores the run from the checkpoint: its generator, and the state to load in `initial`. Throws InputError, which
// begins with `path`, if the state of the generator is missing, the tensors do not fit the run's network, or all steps
// are done.
void go_on(Run& run, const SavedModel& saved, const std::string& path);

}  // namespace byhand::cli
