#include "cli/training.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "byhand/version.h"
#include "cli/by_name.h"
#include "cli/files.h"
#include "cli/modules.h"
#include "cli/shell_words.h"
#include "fast/models.h"
#include "fast/simd/targets.h"
#include "ranks/agreement.h"
#include "torch_ref/load.h"
#include "train/safetensors.h"
#include "train/saved_model.h"

namespace byhand::cli {
namespace {

constexpr const char* kExercise = "exercise";
constexpr const char* kTorch = "torch";

void check_model(const Training& training) {
    const TrainOptions& options = training.options;
    const std::vector<std::string> models = models_to_train();
    if (std::ranges::find(models, training.model) == models.end()) {
        throw InputError(fmt::format("{}: trained by the unknown model \"{}\"; give --model, one of {}",
                                     printable(options.resume.path), excerpt(training.model, 100),
                                     fmt::join(models, ", ")));
    }
    if (options.threads != kAutoThreads && training.model != kFused) {
        throw InputError("--threads requires --model fused; the other models use one thread");
    }
    if (!options.own.file.empty() && training.model != kExercise) {
        throw InputError("--functions requires --model exercise");
    }
}

// The files that the training writes.
void check_files(const Training& training) {
    const TrainOptions& options = training.options;
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

void check_parts(const Training& training, const Recipe& recipe) {
    if (recipe.parts > 1 && training.model == kExercise) {
        throw InputError("--model exercise trains on the whole batch by one process; leave out --ranks and --parts");
    }
}

// Loads LibTorch, if it trains, before the module that connects ranks does: the threads of its BLAS can be set only
// once. In parts with one each, so that every rank computes the same.
void load_torch(const Training& training, const Recipe& recipe) {
    if (training.model == kTorch) {
        torch_ref::Opening opening;
        opening.threads = recipe.parts > 1 ? std::optional<std::size_t>(1) : std::nullopt;
        torch_ref::load(opening);
    }
}

}  // namespace

std::vector<std::string> models_to_train() {
    std::vector<std::string> models = model_names();
    if (kHasForeign) {
        models.emplace_back(kExercise);
    }
    return models;
}

Training begin(const TrainOptions& options, const distributed::World& world) {
    use_large_pages_for_heap();
    std::optional<SavedModel> saved;
    if (!options.resume.empty()) {
        saved = load_model(options.resume);
    }
    Training training{.options = options,
                      .model = options.model.value_or(saved ? saved->trained_by : model_names().front()),
                      .data_path = {},
                      .save = options.save ? options.save->path
                              : saved      ? options.resume.path
                                           : kSavedModel,
                      .run = {},
                      .world = world};
    check_model(training);
    if (!options.no_save) {
        check_files(training);
    }
    const std::string& data = options.network.data;
    const BadLines bad = bad_lines(options.network);
    if (saved && options.network.mark && bad.mark != saved->vocabulary.characters.front()) {
        throw InputError("--mark: the training that is resumed has another one; leave it out");
    }
    auto [names, path] =
        saved ? names_for(*saved, data, bad.skip) : NamesAndPath{read_names_aloud(data, bad), data_path_of(data)};
    training.data_path = path;
    training.data_hash = names.hash;
    Recipe recipe = saved && !options.recipe_given ? saved->recipe : read_recipe(options.network.recipe);
    recipe = with_parts(with_flags(std::move(recipe), flags_of(options.network)), options.ranks, world);
    recipe.steps = options.steps.value_or(recipe.steps);
    check_parts(training, recipe);
    if (saved) {
        const std::vector<std::string> changed =
            changes(*saved, recipe, vocabulary_of(names.names, names.mark), training.model, training.data_hash);
        if (!changed.empty() && !options.resume_changed) {
            throw InputError(fmt::format("{}: this has changed: {}; --resume-changed continues anyway",
                                         printable(options.resume.path), fmt::join(changed, ", ")));
        }
    }
    load_torch(training, recipe);
    training.run = prepare(std::move(recipe), std::move(names), training.data_path);
    if (saved) {
        go_on(training.run, *saved, options.resume);
        training.first = saved->steps;
    }
    return training;
}

std::unique_ptr<Trainable> model_for(const Training& training, Group& group) {
    const TrainOptions& options = training.options;
    const Run& run = training.run;
    const NetworkConfig& network = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    const auto threads = [&]() -> std::size_t {
        if constexpr (kHasFast) {
            return parse_whole_number(options.threads).value_or(group.size() > 1 ? 1 : threads_that_pay(network, rows));
        }
        return 1;
    };
    if (training.model != kExercise) {
        const Division division = run.recipe.parts > 1 ? Division{run.recipe.parts, &group} : Division{};
        return make_model(training.model, network, rows, division, threads());
    }
    if constexpr (kHasForeign) {
        return own_model_of(options.own, run);
    } else {
        throw InputError("--model exercise belongs to the module foreign, which this program is built without");
    }
}

std::vector<distributed::Fact> facts(const Training& training) {
    const Run& run = training.run;
    std::vector<distributed::Fact> all = {
        {"version of byhand", hash_of(kVersion)},
        {"recipe", hash_of(to_json(run.recipe))},
        {"file of names", training.data_hash},
        {"model or number of steps",
         hash_of(fmt::format("{} {} {}", training.model, training.first, run.recipe.steps))},
        {"--verify-replicas", hash_of(fmt::format("{}", training.options.verify_every))}};
    if constexpr (kHasFast) {
        if (training.model == kFused) {  // they round differently
            all.push_back({"kind of vectors", hash_of(simd::target_name())});
        }
    }
    if constexpr (kHasRanks) {
        std::ranges::move(distributed::facts_of(run.initial), std::back_inserter(all));
    }
    return all;
}

std::vector<std::string> changes(const SavedModel& saved, const Recipe& recipe, const Vocabulary& vocabulary,
                                 const std::string& model, std::uint64_t data_hash) {
    constexpr std::size_t kLongest = 200;  // of a text from the file
    std::vector<std::string> all;
    if (saved.data_hash != data_hash) {
        all.push_back(fmt::format("the data (trained on {}, with other contents)", excerpt(saved.data_path, kLongest)));
    }
    if (saved.vocabulary.characters != vocabulary.characters) {
        all.push_back(
            fmt::format("the vocabulary ({} characters saved, {} now)", saved.vocabulary.size(), vocabulary.size()));
    }
    if (saved.trained_by != model) {
        all.push_back(fmt::format("the model ({} saved, {} now)", excerpt(saved.trained_by, kLongest), model));
    }
    for (const std::string& difference : differences(saved.recipe, recipe)) {
        all.push_back("the recipe's " + difference);
    }
    return all;
}

void go_on(Run& run, const SavedModel& saved, const std::string& path) {
    const auto refuse = [&](const std::string& why) { throw InputError(printable(path) + ": " + why); };
    if (!saved.batches) {
        refuse("can't be resumed: the state of the generator that draws the batches is missing");
    }
    if (saved.state.table() != run.initial.table()) {
        refuse("can't be resumed: its tensors do not fit the requested network");
    }
    if (saved.steps >= run.recipe.steps) {
        refuse(fmt::format("has {} of {} steps already; --steps is the total", saved.steps, run.recipe.steps));
    }
    run.generator = *saved.batches;
    run.initial = saved.state;
}

}  // namespace byhand::cli
