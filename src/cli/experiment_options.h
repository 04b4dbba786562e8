// Options that several experiments have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <vector>

#include "cli/network_options.h"
#include "lab/setting.h"

namespace byhand::cli {

// A list of finite numbers, with commas between.
CLI::Option* add_numbers(CLI::App& command, const char* name, std::vector<double>& values, const char* about);

// --seeds N: on so many seeds, from --seed on.
void add_seeds(CLI::App& command, lab::Seeds& seeds);

// The names that --data says, read aloud. Throws InputError.
lab::Material material_of(const NetworkOptions& options);

}  // namespace byhand::cli
