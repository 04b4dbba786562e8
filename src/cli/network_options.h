// The options of the network and its data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/network.h"
#include "cli/options.h"
#include "recipe/recipe.h"
#include "train/run.h"
#include "train/saved_model.h"

namespace byhand::cli {

// The default file of train, eval and sample.
inline constexpr const char* kSavedModel = "byhand.safetensors";

struct NetworkOptions {
    InputPath recipe = "notes";
    InputPath data;               // empty: the shipped names
    bool skip_bad_lines = false;  // of the names
    std::optional<std::string> mark;
    std::optional<std::string> hidden;  // widths, separated by commas
    NetworkFlags flags;                 // the others
};

inline constexpr const char* kNetworkGroup = "Network";  // of the options, in the help
void add_network_options(const Command& command, NetworkOptions& options);

// Adds --quick: isolated steps run on the batch and one random draw, without the battery.
void add_quick(const Command& command, bool& quick);
// Notes on stderr that --quick is set, if it is.
void say_if_quick(bool quick);

// The named recipe or the one in the file, with the flags applied. Throws InputError.
Recipe recipe_of(const NetworkOptions& options);

// The flags, --hidden included. Throws InputError.
NetworkFlags flags_of(const NetworkOptions& options);

// A recipe by its shipped name or its path. Throws InputError that lists the shipped ones.
Recipe read_recipe(const std::string& name_or_path);

// How --mark and --skip-bad-lines say that names are read. Throws InputError if the mark is not one character.
BadLines bad_lines(const NetworkOptions& options);

// Adds --skip-bad-lines.
Option add_skip_bad_lines(const Command& command, bool& skip);

// Reads names and notes irregularities of the file on stderr. An empty path means the shipped names.
NamesFile read_names_aloud(const std::string& path, const BadLines& bad = {});

// A saved model. With a recipe, a model from another program, whose characters are those of the names in `data` (empty:
// the shipped names). Throws InputError.
SavedModel read_model(const std::string& path, const std::string& recipe, const std::string& data);

// The path that an empty --data stands for.
std::string data_path_of(const std::string& data);

// The path of the names that a saved model was trained on: the recorded file or, if that is missing (the model may come
// from another machine), the shipped one, if it is the same.
std::string data_path_of(const SavedModel& saved);

struct NamesAndPath {
    NamesFile file;
    std::string path;
};

// The names of --data, by default those that the saved model was trained on, with read_names_aloud. Bad lines of the
// model's own file are skipped, as they were when it was trained. Throws InputError; it mentions --data if the model's
// names are missing.
NamesAndPath names_for(const SavedModel& saved, const std::string& data, bool skip_bad_lines);

// Says so if the fused model of this recipe runs step by step, because the fused step does not support an operation.
void say_if_step_by_step(const Recipe& recipe);

// The initial state of a run with these options. Throws InputError.
Run run_of(const NetworkOptions& options);

// ---- The memory that a comparison needs ----

// Per number that the network's steps make, measured by `/usr/bin/time -v` for 512 to 8192 rows.
inline constexpr double kBytesOfCompare = 105, kBytesOfExercise = 170;

// Throws InputError if a run with `rows` rows needs more than three quarters of the memory.
void check_memory(const NetworkConfig& network, std::size_t rows, double bytes_per_number);

}  // namespace byhand::cli
