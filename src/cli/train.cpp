#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/interrupt.h"
#include "cli/modules.h"
#include "cli/progress.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "cli/training.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "ranks/agreement.h"
#include "ranks/connect.h"
#include "train/losses.h"
#include "train/metrics.h"
#include "train/run.h"
#include "train/safetensors.h"
#include "train/saved_model.h"

namespace byhand::cli {
namespace {

constexpr std::size_t kMostThreads = 256;
constexpr std::size_t kMetricsEvery = 100;  // whatever --steps is, so that --resume can extend a run

struct FinalLosses {
    double train = 0, val = 0, test = 0;
};

FinalLosses losses_of(Trainable& model, const Run& run) {
    const std::size_t V = run.vocabulary.size();
    std::size_t before = 0;  // examples of the parts before
    Progress progress(run.train.size() + run.val.size() + run.test.size(), std::nullopt, "measuring", "example");
    const auto loss = [&](const Examples& part) {
        const double mean = mean_loss(model, part, V, [&](std::size_t rows) { progress.reach(before + rows); });
        before += part.size();
        return mean;
    };
    const FinalLosses losses{loss(run.train), loss(run.val), loss(run.test)};
    progress.finish();
    return losses;
}

// Warns that a new training will overwrite an older model. Returns its steps if they are more than `steps`.
std::optional<std::size_t> tell_of_older_model(const std::string& path, std::size_t steps) {
    const Metadata metadata = own_metadata(path).value_or(Metadata{});
    const auto found = metadata.find(kStepsKey);
    if (found == metadata.end()) {
        return std::nullopt;
    }
    const std::optional<std::uint64_t> older = parse_whole_number(found->second);
    const bool is_longer = older && *older > steps;
    say("{}{} contains a model after {} steps, which will be overwritten{}; --save names another file\n",
        is_longer ? "warning: " : "", printable(path), printable(found->second),
        is_longer ? fmt::format(" by one after {}", steps) : "");
    return is_longer ? older : std::nullopt;
}

// The model after `steps` steps. `model` itself is left unchanged.
SavedModel checkpoint(const Training& training, Trainable& model, std::size_t steps) {
    const Run& run = training.run;
    SavedModel saved{.recipe = run.recipe,
                     .vocabulary = run.vocabulary,
                     .trained_by = training.model,
                     .steps = steps,
                     .data_path = training.data_path,
                     .data_hash = training.data_hash,
                     .state = model.save(),
                     .calibrated = std::nullopt,
                     .batches = run.generator,
                     .split = run.names.generator};
    if (is_calibrated(run.recipe.network)) {
        model.calibrate(run.train.all().X);
        saved.calibrated = model.save();
        model.load(saved.state);
    }
    return saved;
}

// The command that resumes from the last checkpoint, which has the network, the model and the number of steps.
std::string command_to_go_on(const Training& training, const Command& command) {
    const std::string& data = training.options.network.data;
    const bool is_recorded = printable(data) == data;  // otherwise the checkpoint has an escaped form of the path
    Overrides changed = {{"--data", is_recorded ? std::nullopt : std::optional(data)}};
    for (const char* left_out : {"--model", "--steps", "--save", "--no-save", "--resume", "--resume-changed", "--json",
                                 "--format", "--output"}) {
        changed.emplace_back(left_out, std::nullopt);
    }
    return "byhand train --resume " + quoted(training.save) + command.replay(changed, kNetworkGroup);
}

// "bnvar_inv[3] of step 812 is infinite": the first non-finite value of the stepwise network, else the one found.
std::string in_words(const NotFinite& found, const Recipe& recipe) {
    const auto implementation = make_step_model(stepwise_graph(recipe.network, recipe.batch), Keep::all);
    implementation->load(found.state);
    implementation->run(found.batch.view(), static_cast<float>(rate_at(recipe, found.step)));
    for (const View& view : implementation->views()) {
        for (std::size_t i = 0; i < count(view.shape); ++i) {
            const double value = value_at(view, i);
            if (!std::isfinite(value)) {
                const Shape at = index_of(view.shape, i);
                return fmt::format("{}{} of step {} is {}", view.name,
                                   at.empty() ? "" : fmt::format("[{}]", fmt::join(at, ", ")), found.step,
                                   std::isnan(value) ? "not a number" : "infinite");
            }
        }
    }
    return fmt::format("{} of step {} is infinite or not a number", found.name, found.step);
}

// The fields of docs/formats.md.
Document document_of(const Training& training, std::size_t steps, double seconds, const FinalLosses& losses,
                     std::optional<std::size_t> replaced) {
    const bool is_saved = !training.options.no_save;
    const Run& run = training.run;
    Table table{"", {"part", "examples", "loss"}, {}};
    Json loss = Json::object(), examples = Json::object();
    for (const auto& [name, part, value] : {std::tuple("train", &run.train, losses.train),
                                            {"val", &run.val, losses.val},
                                            {"test", &run.test, losses.test}}) {
        table.rows.push_back({name, whole(part->size()), fixed(value, 4)});
        loss[name] = value;
        examples[name] = part->size();
    }
    Document document{
        .subject = "train",
        .title = fmt::format("{} steps by {} in {:.1f} s", steps - training.first, training.model, seconds),
        .blocks = {std::move(table)},
        .data = {{"recipe", run.recipe.name},
                 {"model", training.model},
                 {"parameters", parameter_count(run.recipe.network)},
                 {"steps", steps},
                 {"seconds", seconds},
                 {"final", std::move(loss)},
                 {"examples", std::move(examples)},
                 {"saved", is_saved ? Json(training.save) : Json()}}};
    if (is_saved) {
        document.blocks.emplace_back(Text{fmt::format(
            "saved to {}{}; generate names with byhand sample, measure it with byhand eval", printable(training.save),
            replaced ? fmt::format(", in place of a longer training of {} steps", *replaced) : "")});
    }
    return document;
}

// The options of a rank other than the first: it saves, prints and measures nothing.
TrainOptions without_files(TrainOptions options) {
    options.no_save = true;
    options.metrics = {};
    options.report.output = {};
    return options;
}

// A training while it runs.
struct Ongoing {
    const Training& training;
    Trainable& model;
    std::optional<Metrics> metrics;
    std::optional<std::size_t> kept;      // the steps of the last saved checkpoint
    std::optional<std::size_t> replaced;  // the steps of a longer training in the file
};

// Saves the model, unless --no-save is set, and records its steps. The metrics are written first, so that the
// checkpoint is never ahead of them. If they can't be written, the model is still saved and the first error is
// returned.
std::optional<std::string> save(Ongoing& it, const SavedModel& model) {
    std::optional<std::string> failure = it.metrics ? it.metrics->sync() : std::nullopt;
    if (!it.training.options.no_save) {
        save_model(it.training.save, model);
        it.kept = model.steps;
    }
    return failure;
}

void close(std::optional<Metrics>& metrics) {
    if (metrics) {
        metrics->close();
    }
}

int not_finite(Ongoing& it, const std::string& what) {
    const std::string left =
        it.kept ? fmt::format("{} still contains the model after {} steps", printable(it.training.save), *it.kept)
                : "nothing was saved";
    say("byhand: {}; {}. Try a lower learning rate\n", what, left);
    close(it.metrics);
    return kDisagrees;
}

Ongoing begun(const Training& training, Trainable& model, std::size_t metrics_every) {
    const TrainOptions& options = training.options;
    Ongoing it{training, model, std::nullopt, std::nullopt, std::nullopt};
    if (!options.metrics.empty()) {
        it.metrics.emplace(options.metrics, metrics_every, training.first);
    }
    if (!options.resume.empty() && same_file(training.save, options.resume)) {
        it.kept = training.first;
    }
    return it;
}

// Saves a checkpoint between two steps. Its errors end the training, those of the metrics do not.
void save_on_the_way(Ongoing& it, std::size_t steps, const Progress& progress) {
    const SavedModel saved = checkpoint(it.training, it.model, steps);
    if (first_not_finite(saved.for_evaluation()) != nullptr) {
        return;
    }
    if (const std::optional<std::string> failure = save(it, saved)) {
        progress.finish();
        say("byhand: {}; training continues without metrics\n", *failure);
    }
}

// Saves, measures and reports. A signal has no effect until the model is saved.
int finish(Ongoing& it, const TrainOutcome& outcome, double seconds, std::optional<InterruptWatch>& watch,
           const Command& command, const ReportFile& report) {
    const Training& training = it.training;
    const Run& run = training.run;
    if (outcome.not_finite) {
        return not_finite(it, in_words(*outcome.not_finite, run.recipe));
    }
    // The model is saved before it is measured, which may take long or run out of memory.
    const SavedModel saved = checkpoint(training, it.model, outcome.steps);
    if (const TensorSpec* spec = first_not_finite(saved.for_evaluation())) {
        return not_finite(it, fmt::format("{} of the whole training part after {} steps is infinite or not a number",
                                          spec->name, outcome.steps));
    }
    save(it, saved);  // close() reports an error of the metrics
    if (outcome.stopped && !training.options.no_save) {
        say("{} of {} steps are done; to continue: {}\n", outcome.steps, run.recipe.steps,
            command_to_go_on(training, command));
    }
    close(it.metrics);
    it.metrics.reset();
    watch.reset();  // from here on a signal may end the program at once

    it.model.load(saved.for_evaluation());
    const FinalLosses losses = losses_of(it.model, run);
    if (!std::isfinite(losses.train) || !std::isfinite(losses.val) || !std::isfinite(losses.test)) {
        return not_finite(it, fmt::format("a loss after {} steps is infinite or not a number", outcome.steps));
    }
    report.write(document_of(training, outcome.steps, seconds, losses, it.replaced));
    return outcome.stopped ? interrupted_exit_code() : kFine;
}

// Throws InputError if a rank's parameters are not those of rank 0.
void verify_replicas(Group& group, const Trainable& model, std::size_t steps) {
    if constexpr (kHasRanks) {
        distributed::check_agreement(group, distributed::facts_of(model.save()), fmt::format("after {} steps ", steps),
                                     ": the ranks no longer train one model");
    }
}

// The ranks, which must train alike.
std::unique_ptr<Group> connected(const Training& training) {
    if constexpr (kHasRanks) {
        std::unique_ptr<Group> group = distributed::connect(training.world, training.options.ranks.timeout);
        distributed::check_agreement(*group, facts(training));
        return group;
    } else {
        return std::make_unique<Single>();
    }
}

int train_and_save(const TrainOptions& options, const Command& command, const distributed::World& world) {
    const ReportFile report(options.report);
    Training training = begin(options, world);
    Run& run = training.run;
    const std::unique_ptr<Group> group = connected(training);
    const std::size_t steps = run.recipe.steps, metrics_every = options.log_every.value_or(kMetricsEvery),
                      progress_every = options.log_every.value_or(std::max<std::size_t>(1, steps / 20));
    const std::unique_ptr<Trainable> model = model_for(training, *group);
    model->load(run.initial);
    Ongoing it = begun(training, *model, metrics_every);
    say("recipe {}, model {}{}: {} parameters; {} names, {} / {} / {} examples\n", run.recipe.name, training.model,
        run.recipe.parts == 1
            ? ""
            : fmt::format(" in {} parts by {} rank{}", run.recipe.parts, world.size, world.size == 1 ? "" : "s"),
        parameter_count(run.recipe.network), run.names.train.size() + run.names.val.size() + run.names.test.size(),
        run.train.size(), run.val.size(), run.test.size());
    if (training.model == kFused) {
        say_if_step_by_step(run.recipe);
    }
    if (options.resume.empty() && !options.no_save) {
        it.replaced = tell_of_older_model(training.save, steps);
    }
    const bool is_first = world.rank == 0;

    Progress progress(steps, progress_every, training.model, "step", training.first, run.recipe.batch);
    std::optional<InterruptWatch> watch(std::in_place);
    TrainOutcome outcome;
    try {
        outcome = train(*model, run, training.first, steps,
                        {.after_step =
                             [&](std::size_t step, float loss) {
                                 progress.step(step, loss);
                                 if (options.verify_every > 0 && (step + 1) % options.verify_every == 0) {
                                     verify_replicas(*group, *model, step + 1);
                                 }
                                 if (it.metrics && (step % metrics_every == 0 || step + 1 == steps)) {
                                     it.metrics->write(step, loss);
                                 }
                             },
                         .stop = StopTogether(*group),
                         .checkpoint_every = options.save_every,
                         .checkpoint =
                             [&](std::size_t done) {
                                 if (is_first) {
                                     save_on_the_way(it, done, progress);
                                 }
                             }});
    } catch (...) {
        progress.finish();
        throw;
    }
    const double seconds = progress.seconds();
    progress.finish();
    if (!is_first) {
        return outcome.not_finite ? kDisagrees : outcome.stopped ? interrupted_exit_code() : kFine;
    }
    return finish(it, outcome, seconds, watch, command, report);
}

// Starts the ranks of --ranks, when it is sure that none of them refuses the training.
int train_by_ranks(const TrainOptions& options, const Command& command, const distributed::World& world) {
    const Training training = begin(options, world);
    if constexpr (kHasRanks) {
        distributed::check_module();
    }
    std::error_code none;
    const auto before = std::filesystem::last_write_time(training.save, none);
    std::size_t ranks = *training.options.ranks.ranks;
    std::vector<std::string> words = command_line();
    for (;;) {
        const RanksEnded ended = run_ranks(ranks, words);
        if (ended.code == kFine || ended.code == kDisagrees || is_interrupted_exit_code(ended.code)) {
            return ended.code;
        }
        const bool is_saved =
            !training.options.no_save && std::filesystem::last_write_time(training.save, none) != before;
        const std::optional<Metadata> metadata = is_saved ? own_metadata(training.save) : std::nullopt;
        const std::string done = metadata ? printable(metadata->at(kStepsKey)) : "";
        if (!training.options.ranks.restart || ended.lost == 0 || ended.lost >= ranks) {
            if (metadata) {
                say("{} contains the model after {} steps; to continue: {}\n", printable(training.save), done,
                    command_to_go_on(training, command));
            }
            return ended.code;
        }
        ranks -= ended.lost;
        words = with_option(std::move(words), "--ranks", std::to_string(ranks));
        if (metadata) {
            words = with_option(std::move(words), "--resume", training.save);
        }
        say("continuing {} with {}\n", metadata ? fmt::format("after {} steps", done) : "from the beginning",
            ranks == 1 ? "1 rank" : fmt::format("{} ranks", ranks));
    }
}

}  // namespace

void add_train(const Command& program) {
    const Command command = program.add_command("train", "Train on names and save the model");
    const auto options = std::make_shared<TrainOptions>();
    add_network_options(command, options->network);
    command
        .option("--model", options->model,
                "Model: fused, stepwise, collapsed (by hand), torch, or exercise (your own gradients)")
        .one_of(models_to_train())
        .shows_default(models_to_train().front());
    if (kHasForeign) {
        command
            .option("--functions", options->own.file,
                    "Your functions for --model exercise, as for byhand exercise [exercise/backward.cpp]")
            .not_empty();
    }
    command
        .option("--threads", options->threads,
                "Threads of the fused model, with the same result for any number; auto: as many as pay off")
        .whole_number_or(kAutoThreads, 1, kMostThreads)
        .shows_default();
    command.option("--steps", options->steps, "Total number of steps, also with --resume [the recipe's]")
        .whole_number(1, kMostSteps);
    const Option save =
        command
            .option("--save", options->save,
                    "Save the model to this file, at the end and on Ctrl-C; with --resume, by default to the same file")
            .shows_default(kSavedModel);
    const Option save_every = command.option("--save-every", options->save_every, "Also save the model every N steps")
                                  .whole_number(1, kMostSteps);
    command.flag("--no-save", options->no_save, "Save no model").excludes(save).excludes(save_every);
    const Option resume = command
                              .option("--resume", options->resume,
                                      "Continue from a saved model, with the same result as without interruption")
                              .not_empty();
    command
        .flag("--resume-changed", options->resume_changed,
              "Continue even if the data, the recipe or the model has changed")
        .needs(resume);
    command.option("--metrics", options->metrics, "Write step and loss to this file, one JSON object per line")
        .not_empty();
    command
        .option("--log-every", options->log_every,
                "Steps between two lines of progress [a twentieth of all] and of metrics [100]")
        .whole_number(1);
    if (kHasRanks) {
        add_rank_options(
            command, options->ranks,
            "Train by N processes of this machine, or as the N that a launcher started, with the same result "
            "for any N; needs LibTorch");
        command
            .flag("--restart", options->ranks.restart,
                  "If a rank is lost, continue from the last checkpoint with those that are left")
            .needs(command.option_named("--ranks"));
        command
            .option("--verify-replicas", options->verify_every,
                    "Every K steps compare the parameters of all ranks, by their hashes, and end if they differ")
            .whole_number(1, kMostSteps);
    }
    add_report_options(command, options->report);
    command.on_run([command, options] {
        options->recipe_given = command.given("--recipe");
        return as_rank(
            options->ranks,
            [&](const distributed::World& world) {
                return train_and_save(world.rank > 0 ? without_files(*options) : *options, command, world);
            },
            [&](const distributed::World& world) { return train_by_ranks(*options, command, world); });
    });
}

}  // namespace byhand::cli
