#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/examine.h"
#include "cli/files.h"
#include "cli/interrupt.h"
#include "cli/metrics.h"
#include "cli/models.h"
#include "cli/network_options.h"
#include "cli/numbers.h"
#include "cli/own_functions.h"
#include "cli/progress.h"
#include "exercise/load.h"
#include "manual/models.h"
#include "train/losses.h"
#include "train/safetensors.h"
#include "train/saved_model.h"
#include "train/trainer.h"

namespace byhand::cli {
namespace {

constexpr const char* kExercise = "exercise";
constexpr const char* kFused = "fused";
constexpr std::size_t kMostThreads = 256;

struct TrainOptions {
    NetworkOptions network;
    std::string model = kFused;
    OwnFunctions own;  // of the model "exercise"
    std::optional<std::size_t> steps, log_every, threads;
    std::string save = "byhand.safetensors";
    bool no_save = false;
    std::string metrics;
    bool json = false;
};

struct FinalLosses {
    double train = 0, val = 0, test = 0;
};

std::unique_ptr<Model> model_for(const TrainOptions& options, const Run& run) {
    if (options.model != kExercise) {
        const NetworkConfig& network = run.recipe.network;
        const std::size_t rows = run.recipe.batch;
        return make_model(options.model, network, rows, options.threads.value_or(threads_that_pay(network, rows)));
    }
    const Library library(options.own, false);  // once opened, it is not needed on disk
    const exercise::Steps steps = exercise::load(library.path(), options.own.path());
    std::unique_ptr<Model> model = own_model(steps, run);
    for (const std::string& label : left_out_of_training(steps)) {
        fmt::print(stderr, "{} is left out: the functions of the small steps train\n", printable(label));
    }
    return model;
}

// Evaluates as the recipe wants it; with figures of the whole training part these are left in the model.
FinalLosses evaluate(Model& model, const Run& run) {
    const NormConfig& norm = run.recipe.network.norm;
    if (norm.place != NormPlace::none && norm.evaluation == EvaluationFigures::training_set) {
        model.calibrate(run.train.X);
    }
    const std::size_t V = run.vocabulary.size();
    return {mean_loss(model, run.train, V), mean_loss(model, run.val, V), mean_loss(model, run.test, V)};
}

int train_and_save(const TrainOptions& options) {
    if (options.threads && options.model != kFused) {
        throw InputError("--threads is for --model fused: the others compute on one");
    }
    if (!options.own.file.empty() && options.model != kExercise) {
        throw InputError("--functions is for --model exercise");
    }
    if (!options.no_save) {
        check_writable(options.save);
    }
    NamesFile names = read_names_aloud(options.network.data);
    const std::uint64_t data_hash = names.hash;
    Recipe recipe = recipe_of(options.network);
    recipe.steps = options.steps.value_or(recipe.steps);
    Run run = prepare(std::move(recipe), std::move(names), data_path_of(options.network.data));
    const std::size_t steps = run.recipe.steps;
    const std::size_t log_every = options.log_every.value_or(std::max<std::size_t>(1, steps / 20));

    const std::unique_ptr<Model> model = model_for(options, run);
    model->load(run.initial);
    std::optional<Metrics> metrics;
    if (!options.metrics.empty()) {
        metrics.emplace(options.metrics);
    }
    fmt::print(stderr, "recipe {}, model {}: {} parameters; {} names, {} / {} / {} examples\n", run.recipe.name,
               options.model, parameter_count(run.recipe.network),
               run.names.train.size() + run.names.val.size() + run.names.test.size(), run.train.size(), run.val.size(),
               run.test.size());

    watch_for_interrupt();
    Progress progress(steps, log_every, options.model);
    const TrainOutcome outcome = train(*model, run, steps,
                                       {.after_step =
                                            [&](std::size_t step, float loss) {
                                                progress.step(step, loss);
                                                if (metrics && (step % log_every == 0 || step + 1 == steps)) {
                                                    metrics->write(step, loss);
                                                }
                                            },
                                        .stop = interrupted});
    const double seconds = progress.seconds();
    progress.finish();
    const auto close_metrics = [&metrics] {
        if (metrics) {
            metrics->close();
        }
    };
    const auto not_finite = [&](const std::string& what) {
        close_metrics();
        fmt::print(stderr, "byhand: {} is not finite; nothing was saved. Try a lower learning rate\n", what);
        return kDisagrees;
    };
    if (!outcome.finite) {
        return not_finite(fmt::format("the loss of step {}", outcome.steps - 1));
    }

    SavedModel saved{.recipe = run.recipe,
                     .vocabulary = run.vocabulary,
                     .trained_by = options.model,
                     .steps = outcome.steps,
                     .data_path = data_path_of(options.network.data),
                     .data_hash = data_hash,
                     .state = model->save(),
                     .calibrated = std::nullopt};
    const FinalLosses losses = evaluate(*model, run);
    // The loss of the last step is that before its update.
    if (!std::isfinite(losses.train) || !std::isfinite(losses.val) || !std::isfinite(losses.test)) {
        return not_finite("a loss after the last step");
    }
    const NormConfig& norm = run.recipe.network.norm;
    if (norm.place != NormPlace::none && norm.evaluation == EvaluationFigures::training_set) {
        saved.calibrated = model->save();
    }
    if (!options.no_save) {
        save_model(options.save, saved);
    }
    close_metrics();  // after the model is safe

    if (options.json) {
        const nlohmann::ordered_json json = {
            {"recipe", run.recipe.name},
            {"model", options.model},
            {"parameters", parameter_count(run.recipe.network)},
            {"steps", outcome.steps},
            {"seconds", seconds},
            {"final", {{"train", losses.train}, {"val", losses.val}, {"test", losses.test}}},
            {"examples", {{"train", run.train.size()}, {"val", run.val.size()}, {"test", run.test.size()}}},
            {"saved", options.no_save ? nlohmann::ordered_json() : nlohmann::ordered_json(options.save)}};
        fmt::print("{}\n", json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
    } else {
        fmt::print("{} steps by {} in {:.1f} s\nloss   train {:.4f}   val {:.4f}   test {:.4f}\n", outcome.steps,
                   options.model, seconds, losses.train, losses.val, losses.test);
        if (!options.no_save) {
            fmt::print("saved to {}; byhand sample lets it write names, byhand eval measures it\n",
                       printable(options.save));
        }
    }
    return outcome.stopped ? kInterrupted : kFine;
}

}  // namespace

void add_train(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("train", "Train on names, and save the model");
    const auto options = std::make_shared<TrainOptions>();
    add_network_options(*command, options->network);
    std::vector<std::string> models = model_names();
    models.emplace_back(kExercise);
    command
        ->add_option("--model", options->model,
                     "Who computes: fused, stepwise, collapsed (by hand), torch, or exercise: your own gradients")
        ->check(CLI::IsMember(models))
        ->capture_default_str();
    command
        ->add_option("--functions", options->own.file,
                     "With --model exercise: your functions, as byhand exercise takes them [exercise/backward.cpp]")
        ->check(some_text());
    command
        ->add_option("--threads", options->threads,
                     "Threads of the fused model, which change nothing but the time [as many as pay]")
        ->check(whole_number(1, kMostThreads));
    command->add_option("--steps", options->steps, "Steps in all [the recipe's]")->check(whole_number(1, kMostSteps));
    CLI::Option* save = command->add_option("--save", options->save, "Where the model goes")->capture_default_str();
    command->add_flag("--no-save", options->no_save, "Keep no model")->excludes(save);
    command->add_option("--metrics", options->metrics, "Write step and loss there, a JSON object a line")
        ->check(some_text());
    command
        ->add_option("--log-every", options->log_every, "Steps between two lines of progress and metrics [a twentieth]")
        ->check(whole_number(1));
    command->add_flag("--json", options->json, "Print the result as JSON");
    command->callback([options, &exit_code] { exit_code = train_and_save(*options); });
}

}  // namespace byhand::cli
