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
#include "cli/file_path.h"
#include "cli/network_options.h"
#include "cli/own_functions.h"
#include "cli/ranks.h"
#include "cli/report_options.h"
#include "ranks/agreement.h"
#include "ranks/world.h"
#include "train/run.h"

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
std::unique_ptr<Model> model_for(const Training& training, Group& group);

// What all ranks must have alike.
std::vector<distributed::Fact> facts(const Training& training);

}  // namespace byhand::cli
