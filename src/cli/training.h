// A training before its first step: what the options, the recipe, the names and the checkpoint make of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "cli/network_options.h"
#include "cli/options.h"
#include "cli/own_functions.h"
#include "cli/ranks.h"
#include "cli/report_options.h"
#include "ranks/agreement.h"
#include "ranks/world.h"
#include "train/run.h"
#include "train/saved_model.h"

namespace byhand::cli {

inline constexpr const char* kFused = "fused";       // the default model
inline constexpr const char* kAutoThreads = "auto";  // as many as pay off

struct TrainOptions {
    NetworkOptions network;
    bool recipe_given = false;           // by default the recipe of the checkpoint
    std::optional<std::string> model;    // by default the model of the checkpoint, or fused
    OwnFunctions own;                    // of the model "exercise"
    std::string threads = kAutoThreads;  // or a number
    std::optional<std::size_t> steps, log_every;
    std::optional<OutputPath> save;  // by default the file of the checkpoint, or kSavedModel
    bool no_save = false;
    std::size_t save_every = 0;
    std::size_t verify_every = 0;  // compare the ranks' parameters; 0: never
    InputPath resume;              // empty: from the beginning
    bool resume_changed = false;
    OutputPath metrics;
    ReportOptions report;
    RankOptions ranks;
};

struct Training {
    TrainOptions options;
    std::string model, data_path, save;
    std::uint64_t data_hash = 0;
    std::size_t first = 0;
    Run run;
    distributed::World world;
};

// fused, stepwise, collapsed, torch, and exercise.
std::vector<std::string> models_to_train();

// Throws InputError for all that can be checked before the first step.
Training begin(const TrainOptions& options, const distributed::World& world);

// The model to train, with its initial values unset; `group` must outlive it.
std::unique_ptr<Trainable> model_for(const Training& training, Group& group);

// What all ranks must have alike.
std::vector<distributed::Fact> facts(const Training& training);

// ---- Resuming a training from its checkpoint: what must be unchanged ----

// What has changed, each in a few words: data, vocabulary, model, keys of the recipe. Excludes the number of steps and
// what does not affect a step (the recipe's name, the seed of `sample`).
std::vector<std::string> changes(const SavedModel& saved, const Recipe& recipe, const Vocabulary& vocabulary,
                                 const std::string& model, std::uint64_t data_hash);

// Restores the run from the checkpoint: its generator, and the state to load in `initial`. Throws InputError, which
// begins with `path`, if the state of the generator is missing, the tensors do not fit the run's network, or all steps
// are done.
void go_on(Run& run, const SavedModel& saved, const std::string& path);

}  // namespace byhand::cli
