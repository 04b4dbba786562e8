// What a command line names: networks, values and mistakes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/model.h"
#include "harness/mistake.h"
#include "train/saved_model.h"

namespace byhand::cli {

// fused, stepwise, collapsed, torch: the models without external functions; the first is the default.
std::vector<std::string> model_names();

// One of model_names, to train on batches of `rows`; the fused one with `threads` threads. Throws InputError as
// check_network does, and if LibTorch is requested and missing.
std::unique_ptr<Trainable> make_model(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                      const Division& division = {}, std::size_t threads = 1);

// A saved model for evaluation, by the default network. The batch size of its training, which may be millions, takes no
// memory here.
std::unique_ptr<Trainable> model_to_evaluate(const SavedModel& saved);

// The names of the values of the default network, step by step and collapsed.
std::vector<std::string> value_names();
// The mistakes that can be planted; none without the module checks.
KnownMistakes known_mistakes();
std::vector<std::string> mistake_names();
// Throws InputError if there is none of that name.
const Mistake& mistake_named(const std::string& name);

}  // namespace byhand::cli
