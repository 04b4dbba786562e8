// The networks, by name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "train/saved_model.h"

namespace byhand::cli {

// fused, stepwise, collapsed, torch: the models without external functions; the first is the default.
std::vector<std::string> model_names();

// One of model_names, to train on batches of `rows`; the fused one with `threads` threads. Throws InputError as
// check_network does, and if LibTorch is requested and missing.
std::unique_ptr<Model> make_model(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                  std::size_t threads = 1);

// The same with the rows of each batch in `parts` parts, shared out to the ranks of `group`, which must outlive it.
std::unique_ptr<Model> make_model_in_parts(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                           std::size_t parts, Group& group, std::size_t threads = 1);

// A saved model for evaluation, by the default network. The batch size of its training, which may be millions, takes no
// memory here.
std::unique_ptr<Model> model_to_evaluate(const SavedModel& saved);

}  // namespace byhand::cli
