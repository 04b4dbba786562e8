// The networks by the names the command knows them by.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/model.h"
#include "train/saved_model.h"

namespace byhand::cli {

// fused, stepwise, collapsed, torch: those that need nothing from outside.
std::vector<std::string> model_names();

// One of model_names, to train batches of `rows`; the fused one on so many threads. Throws InputError where
// check_network does, or LibTorch is wanted and absent.
std::unique_ptr<Model> make_model(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                  std::size_t threads = 1);

// A saved model as it is evaluated, by the fused network. The rows that its training took in one batch take no memory
// here: the file may tell of millions.
std::unique_ptr<Model> model_to_evaluate(const SavedModel& saved);

}  // namespace byhand::cli
