// The options by which compare and train say what network to build, on which data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/file_path.h"
#include "cli/options.h"
#include "train/run.h"
#include "train/saved_model.h"

namespace byhand::cli {

// Where train saves, and eval and sample look, unless they are told.
inline constexpr const char* kSavedModel = "byhand.safetensors";

struct NetworkOptions {
    InputPath recipe = "notes";
    InputPath data;  // empty: the shipped names
    std::optional<std::size_t> embedding, context, batch;
    std::optional<std::string> hidden;  // widths, with commas between
    std::optional<std::uint64_t> seed, split_seed;
    std::optional<std::string> activation, norm, norm_kind, bn_variance, optimizer;
    std::optional<double> bn_eps, weight_decay, rate;
    bool residual = false, tied = false;
};

inline constexpr const char* kNetworkGroup = "Network";  // of the options, in the help
void add_network_options(const Command& command, NetworkOptions& options);

// Adds --quick: isolated steps run on the batch and one random draw, without the battery.
void add_quick(const Command& command, bool& quick);
// Says so on stderr where it is set.
void say_if_quick(bool quick);

// The recipe named, or read from a file, with the flags on top of it. Throws InputError.
Recipe recipe_of(const NetworkOptions& options);

// A recipe with the flags on top of it. Throws InputError.
Recipe with_flags(Recipe recipe, const NetworkOptions& options);

// A recipe by its shipped name or its path. Throws InputError that lists the shipped ones.
Recipe read_recipe(const std::string& name_or_path);

// Reads names and says on stderr what was peculiar about the file. An empty path means the shipped names.
NamesFile read_names_aloud(const std::string& path);

// A saved model; with a recipe, one that others wrote, whose characters are those of the names in `data` (empty: the
// shipped ones). Throws InputError.
SavedModel read_model(const std::string& path, const std::string& recipe, const std::string& data);

// The path that an empty --data stands for.
std::string data_path_of(const std::string& data);

// Where the names are that a saved model was trained on: in the file that it tells of or, where that is gone (the model
// may come from another machine), in the shipped one, if that is the same.
std::string data_path_of(const SavedModel& saved);

struct NamesAndPath {
    NamesFile file;
    std::string path;
};

// The names that --data says, or those that a saved model was trained on where it says nothing, read aloud. Throws
// InputError, that tells of --data where the model's are not to be had.
NamesAndPath names_for(const SavedModel& saved, const std::string& data);

// All that a run begins with, by the options. Throws InputError.
Run run_of(const NetworkOptions& options);

}  // namespace byhand::cli
