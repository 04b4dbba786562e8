// The networks by the names the command knows them by.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/model.h"

namespace byhand::cli {

// fused, stepwise, collapsed, torch: those that need nothing from outside.
std::vector<std::string> model_names();

// One of model_names, to train batches of `rows`; the fused one on so many threads. Throws InputError where
// check_network does, or LibTorch is wanted and absent.
std::unique_ptr<Model> make_model(const std::string& name, const NetworkConfig& config, std::size_t rows,
                                  std::size_t threads = 1);

}  // namespace byhand::cli
