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
#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"
#include "byhand/version.h"
#include "cli/commands.h"
#include "cli/examine.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/interrupt.h"
#include "cli/metrics.h"
#include "cli/models.h"
#include "cli/network_options.h"
#include "cli/own_functions.h"
#include "cli/progress.h"
#include "cli/ranks.h"
#include "cli/report_options.h"
#include "cli/resume.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "distributed/connect.h"
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
constexpr const char* kTorch = "torch";
constexpr std::size_t kMostThreads = 256;
constexpr std::size_t kMetricsEvery = 100;  // whatever --steps is, so that --resume can extend a run

struct TrainOptions {
    NetworkOptions network;
    bool recipe_given = false;         // by default the recipe of the checkpoint
    std::optional<std::string> model;  // by default the model of the checkpoint, or fused
    OwnFunctions own;                  // of the model "exercise"
    std::optional<std::size_t> steps, log_every, threads;
    std::optional<OutputPath> save;  // by default the file of the checkpoint, or kSavedModel
    bool no_save = false;
    std::size_t save_every = 0;
    InputPath resume;  // empty: from the beginning
    bool resume_changed = false;
    OutputPath metrics;
    ReportOptions report;
    RankOptions ranks;
};

// What is decided before the first step.
struct Training {
    TrainOptions options;
    std::string model, data_path, save;
    std::uint64_t data_hash = 0;
    std::size_t first = 0;
    Run run;
    distributed::World world;
};

std::vector<std::string> models_to_train() {
    std::vector<std::string> models = model_names();
    models.emplace_back(kExercise);
    return models;
}

struct FinalLosses {
    double train = 0, val = 0, test = 0;
};

// `group` outlives the model.
std::unique_ptr<Model> model_for(const Training& training, Group& group) {
    const TrainOptions& options = training.options;
    const Run& run = training.run;
    if (run.recipe.parts > 1) {
        return make_model_in_parts(hand_form(training.model), run.recipe.network, run.recipe.batch, run.recipe.parts,
                                   group);
    }
    if (training.model != kExercise) {
        const NetworkConfig& network = run.recipe.network;
        const std::size_t rows = run.recipe.batch;
        return make_model(training.model, network, rows, options.threads.value_or(threads_that_pay(network, rows)));
    }
    const Library library(options.own, exercise::Sanitizer::none);  // its file is not needed once it is loaded
    const exercise::Functions steps = exercise::load(library.path(), options.own.path());
    std::unique_ptr<Model> model = own_model(steps, run);
    for (const std::string& label : left_out_of_training(steps)) {
        say("{} is left out: the functions of the small steps are used\n", printable(label));
    }
    return model;
}

FinalLosses losses_of(Model& model, const Run& run) {
    const std::size_t V = run.vocabulary.size();
    return {mean_loss(model, run.train, V), mean_loss(model, run.val, V), mean_loss(model, run.test, V)};
}

// Throws InputError for all that can be checked before the first step.
Training begin(const TrainOptions& options, const distributed::World& world) {
    std::optional<SavedModel> saved;
    if (!options.resume.empty()) {
        saved = load_model(options.resume);
    }
    Training training{.options = options,
                      .model = options.model.value_or(saved ? saved->trained_by : kFused),
                      .data_path = {},
                      .save = options.save ? options.save->path
                              : saved      ? options.resume.path
                                           : kSavedModel,
                      .run = {},
                      .world = world};
    const std::vector<std::string> models = models_to_train();
    if (std::ranges::find(models, training.model) == models.end()) {
        throw InputError(fmt::format("{}: trained by the unknown model \"{}\"; give --model, one of {}",
                                     printable(options.resume.path), excerpt(training.model, 100),
                                     fmt::join(models, ", ")));
    }
    if (options.threads && training.model != kFused) {
        throw InputError("--threads requires --model fused; the other models use one thread");
    }
    if (!options.own.file.empty() && training.model != kExercise) {
        throw InputError("--functions requires --model exercise");
    }
    if (!options.no_save) {
        check_writable(training.save, Content::model);
        // Also if --save is the default.
        for (const auto& [path, what, option] : {std::tuple(&options.metrics, "its metrics", "--metrics"),
                                                 {&options.report.output, "the report", "--output"}}) {
            if (!path->empty() && same_file(training.save, *path)) {
                throw InputError(fmt::format("{}: can't contain both the model and {}; name another file with {}",
                                             printable(training.save), what, option));
            }
        }
    }
    const std::string& data = options.network.data;
    auto [names, path] = saved ? names_for(*saved, data) : NamesAndPath{read_names_aloud(data), data_path_of(data)};
    training.data_path = path;
    training.data_hash = names.hash;
    Recipe recipe = saved && !options.recipe_given ? saved->recipe : read_recipe(options.network.recipe);
    recipe = with_parts(with_flags(std::move(recipe), options.network), options.ranks, world);
    recipe.steps = options.steps.value_or(recipe.steps);
    if (recipe.parts > 1 && (training.model == kTorch || training.model == kExercise)) {
        throw InputError(fmt::format(
            "--model {} trains on the whole batch by one process; leave out --ranks and --parts", training.model));
    }
    if (recipe.parts > 1 && options.threads) {
        throw InputError("--threads requires a batch in one part; --ranks N uses N processors");
    }
    if (saved) {
        const std::vector<std::string> changed =
            changes(*saved, recipe, vocabulary_of(names.names), training.model, training.data_hash);
        if (!changed.empty() && !options.resume_changed) {
            throw InputError(fmt::format("{}: this has changed: {}; --resume-changed continues anyway",
                                         printable(options.resume.path), fmt::join(changed, ", ")));
        }
    }
    training.run = prepare(std::move(recipe), std::move(names), training.data_path);
    if (saved) {
        go_on(training.run, *saved, options.resume);
        training.first = saved->steps;
    }
    return training;
}

// Warns that a new training will overwrite an older model.
void tell_of_older_model(const std::string& path) {
    const Metadata metadata = own_metadata(path).value_or(Metadata{});
    if (const auto steps = metadata.find(kStepsKey); steps != metadata.end()) {
        say("{} contains a model after {} steps, which will be overwritten; --save names another file\n",
            printable(path), printable(steps->second));
    }
}

// The model after `steps` steps. `model` itself is left unchanged.
SavedModel checkpoint(const Training& training, Model& model, std::size_t steps) {
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
        model.calibrate(run.train.X);
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
    const auto implementation =
        make_hand_implementation(HandForm::stepwise, recipe.network, recipe.batch, DType::float32);
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
Document document_of(const Training& training, std::size_t steps, double seconds, const FinalLosses& losses) {
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
        .note = "",
        .title = fmt::format("{} steps by {} in {:.1f} s", steps - training.first, training.model, seconds),
        .blocks = {std::move(table)},
        .plots = {},
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
            "saved to {}; generate names with byhand sample, measure it with byhand eval", printable(training.save))});
    }
    return document;
}

// Saves the model, unless --no-save is set, and records its steps in `kept`. The metrics are written first, so that the
// checkpoint is never ahead of them. If they can't be written, the model is still saved and the first error is
// returned.
std::optional<std::string> save(const Training& training, const SavedModel& model, std::optional<Metrics>& metrics,
                                std::optional<std::size_t>& kept) {
    std::optional<std::string> failure = metrics ? metrics->sync() : std::nullopt;
    if (!training.options.no_save) {
        save_model(training.save, model);
        kept = model.steps;
    }
    return failure;
}

// `kept`: the steps of the last saved checkpoint.
int not_finite(const Training& training, const std::string& what, const std::optional<std::size_t>& kept) {
    const std::string left =
        kept ? fmt::format("{} still contains the model after {} steps", printable(training.save), *kept)
             : "nothing was saved";
    say("byhand: {}; {}. Try a lower learning rate\n", what, left);
    return kDisagrees;
}

void close(std::optional<Metrics>& metrics) {
    if (metrics) {
        metrics->close();
    }
}

// What all ranks must have alike.
std::vector<Fact> facts(const Training& training) {
    const Run& run = training.run;
    const auto text_of_state = [&] {
        std::string bytes;
        for (const TensorSpec& spec : run.initial.table()) {
            const std::span<const std::byte> numbers = std::as_bytes(run.initial[spec.name]);
            bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size());
        }
        return bytes;
    };
    return {{"version of byhand", hash_of(kVersion)},
            {"recipe", hash_of(to_json(run.recipe))},
            {"file of names", training.data_hash},
            {"model or number of steps",
             hash_of(fmt::format("{} {} {}", training.model, training.first, run.recipe.steps))},
            {"state at the beginning", hash_of(text_of_state())}};
}

// A rank other than the first trains without a word: it saves, prints and measures nothing.
TrainOptions without_files(TrainOptions options) {
    options.no_save = true;
    options.metrics = {};
    options.report.output = {};
    return options;
}

int train_and_save(const TrainOptions& options, const Command& command, const distributed::World& world) {
    const ReportFile report(options.report);
    Training training = begin(options, world);
    Run& run = training.run;
    const std::unique_ptr<Group> group = distributed::connect(world, options.ranks.timeout);
    check_agreement(*group, facts(training));
    const std::size_t steps = run.recipe.steps, metrics_every = options.log_every.value_or(kMetricsEvery),
                      progress_every = options.log_every.value_or(std::max<std::size_t>(1, steps / 20));
    const std::unique_ptr<Model> model = model_for(training, *group);
    model->load(run.initial);
    std::optional<Metrics> metrics;
    if (!options.metrics.empty()) {
        metrics.emplace(options.metrics, metrics_every, training.first);
    }
    const std::string parts =
        run.recipe.parts == 1 ? "" : fmt::format(" in {} parts by {} ranks", run.recipe.parts, world.size);
    say("recipe {}, model {}{}: {} parameters; {} names, {} / {} / {} examples\n", run.recipe.name, training.model,
        parts, parameter_count(run.recipe.network),
        run.names.train.size() + run.names.val.size() + run.names.test.size(), run.train.size(), run.val.size(),
        run.test.size());
    if (options.resume.empty() && !options.no_save) {
        tell_of_older_model(training.save);
    }

    Progress progress(steps, progress_every, training.model, "step", training.first);
    std::optional<std::size_t> kept;
    if (!options.resume.empty() && same_file(training.save, options.resume)) {
        kept = training.first;
    }
    const bool is_first = world.rank == 0;
    const auto save_on_the_way = [&](std::size_t done) {
        if (!is_first) {
            return;
        }
        const SavedModel saved = checkpoint(training, *model, done);
        if (first_not_finite(saved.for_evaluation()) != nullptr) {
            return;
        }
        if (const std::optional<std::string> failure = save(training, saved, metrics, kept)) {
            progress.finish();
            say("byhand: {}; training continues without metrics\n", *failure);
        }
    };

    std::optional<InterruptWatch> watch(std::in_place);
    TrainOutcome outcome;
    try {
        outcome = train(*model, run, training.first, steps,
                        {.after_step =
                             [&](std::size_t step, float loss) {
                                 progress.step(step, loss);
                                 if (metrics && (step % metrics_every == 0 || step + 1 == steps)) {
                                     metrics->write(step, loss);
                                 }
                             },
                         .stop = StopTogether(*group),
                         .checkpoint_every = options.save_every,
                         .checkpoint = save_on_the_way});
    } catch (...) {
        progress.finish();
        throw;
    }
    const double seconds = progress.seconds();
    progress.finish();
    if (!is_first) {
        return outcome.not_finite ? kDisagrees : outcome.stopped ? kInterrupted : kFine;
    }
    if (outcome.not_finite) {
        const int code = not_finite(training, in_words(*outcome.not_finite, run.recipe), kept);
        close(metrics);
        return code;
    }

    // The model is saved before it is measured, which may take long or run out of memory.
    const SavedModel saved = checkpoint(training, *model, outcome.steps);
    if (const TensorSpec* spec = first_not_finite(saved.for_evaluation())) {
        const std::string what = fmt::format("{} of the whole training part after {} steps is infinite or not a number",
                                             spec->name, outcome.steps);
        const int code = not_finite(training, what, kept);
        close(metrics);
        return code;
    }
    save(training, saved, metrics, kept);  // close() reports an error of the metrics
    if (outcome.stopped && !options.no_save) {
        say("{} of {} steps are done; to continue: {}\n", outcome.steps, steps, command_to_go_on(training, command));
    }
    close(metrics);
    watch.reset();  // from here on a signal may end the program at once

    model->load(saved.for_evaluation());
    const FinalLosses losses = losses_of(*model, run);
    if (!std::isfinite(losses.train) || !std::isfinite(losses.val) || !std::isfinite(losses.test)) {
        return not_finite(training, fmt::format("a loss after {} steps is infinite or not a number", outcome.steps),
                          kept);
    }
    report.write(document_of(training, outcome.steps, seconds, losses));
    return outcome.stopped ? kInterrupted : kFine;
}

// Starts the ranks of --ranks. `training` has been checked, so that what every rank would refuse is refused once.
int train_by_ranks(const Training& training, const Command& command) {
    distributed::check_module();
    std::error_code none;
    const auto before = std::filesystem::last_write_time(training.save, none);
    const int code = run_ranks(*training.options.ranks.ranks);
    const bool is_saved = !training.options.no_save && std::filesystem::last_write_time(training.save, none) != before;
    const bool has_failed = code != kFine && code != kInterrupted && code != kDisagrees;
    if (const std::optional<Metadata> metadata = own_metadata(training.save); has_failed && is_saved && metadata) {
        say("{} contains the model after {} steps; to continue: {}\n", printable(training.save),
            printable(metadata->at(kStepsKey)), command_to_go_on(training, command));
    }
    return code;
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
        .shows_default(kFused);
    command
        .option("--functions", options->own.file,
                "Your functions for --model exercise, as for byhand exercise [exercise/backward.cpp]")
        .not_empty();
    command
        .option("--threads", options->threads,
                "Threads of the fused model, with the same result for any number [as many as pay off]")
        .whole_number(1, kMostThreads);
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
    add_rank_options(command, options->ranks);
    add_report_options(command, options->report);
    command.on_run([command, options] {
        options->recipe_given = command.given("--recipe");
        const distributed::World world = world_of(options->ranks);
        if (world.rank > 0) {
            const Silence silence;
            return train_and_save(without_files(*options), command, world);
        }
        if (starts_ranks(options->ranks)) {
            return train_by_ranks(begin(*options, world), command);
        }
        return train_and_save(*options, command, world);
    });
}

}  // namespace byhand::cli
