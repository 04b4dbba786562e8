// Going on with a training from its checkpoint: what must be the same.
#pragma once

#include <string>
#include <vector>

#include "train/run.h"
#include "train/saved_model.h"

namespace byhand::cli {

// What is another now than it was, each in a few words: data, vocabulary, the model that computes, keys of the recipe.
// Not the number of steps, nor what decides no step (the recipe's name, the seed of `sample`).
std::vector<std::string> changes(const SavedModel& saved, const Recipe& recipe, const Vocabulary& vocabulary,
                                 const std::string& model, std::uint64_t data_hash);

// Puts the run where the checkpoint left it: its generator, and the state to load in `initial`. Throws InputError that
// begins with `path`: it has no state of the generator, its tensors are not those of the run's network, or it has all
// steps already.
void go_on(Run& run, const SavedModel& saved, const std::string& path);

}  // namespace byhand::cli
