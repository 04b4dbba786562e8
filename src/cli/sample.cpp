#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/by_name.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "names/names_file.h"
#include "train/sampler.h"
#include "train/saved_model.h"

namespace byhand::cli {
namespace {

struct SampleCommand {
    InputPath model = kSavedModel;
    std::size_t count = 20;
    std::optional<std::uint64_t> seed;
    double temperature = 1;
    std::string prefix;
    InputPath recipe, data;
    bool goes_on = false;
    bool unique = false;
    bool json = false;
};

constexpr std::size_t kLongestShown = 300;  // bytes of a path and of its error

// All names that the model was trained and measured on, if their file is unchanged.
std::optional<std::set<std::u32string>> known_names(const SavedModel& saved) {
    try {
        const NamesFile file =
            read_names(data_path_of(saved), {.skip_in = saved.data_hash, .mark = saved.vocabulary.characters.front()});
        if (file.hash == saved.data_hash) {
            return std::set<std::u32string>(file.names.begin(), file.names.end());
        }
    } catch (const InputError& error) {
        say("{}\n", shortened(error.what(), kLongestShown));
    }
    say("{} is missing or has changed since the training; new names can't be told apart\n",
        shortened(saved.data_path, kLongestShown));
    return std::nullopt;
}

// The text with ASCII's capitals in lower case.
std::u32string lower_case(std::u32string text) {
    std::ranges::transform(text, text.begin(),
                           [](char32_t c) { return c >= U'A' && c <= U'Z' ? c + (U'a' - U'A') : c; });
    return text;
}

// Throws InputError if the vocabulary lacks a character of the prefix; suggests the prefix in lower case if that fits.
std::u32string checked_prefix(const std::string& text, const Vocabulary& vocabulary) {
    std::u32string prefix;
    try {
        prefix = from_utf8(text);
    } catch (const InputError& error) {
        throw InputError(std::string("--prefix: ") + error.what());
    }
    constexpr std::size_t kLongest = 200;  // bytes of the alphabet; there are some of thousands
    const auto is_unknown = [&](char32_t character) { return vocabulary.index(character) < 1; };
    if (const auto unknown = std::ranges::find_if(prefix, is_unknown); unknown != prefix.end()) {
        const std::u32string lower = lower_case(prefix);
        throw InputError(
            fmt::format("--prefix: the model has no character '{}'; it has {}{}", to_utf8(std::u32string(1, *unknown)),
                        excerpt(to_utf8(vocabulary.characters.substr(1)), kLongest),
                        std::ranges::none_of(lower, is_unknown) ? "; try --prefix " + quoted(to_utf8(lower)) : ""));
    }
    return prefix;
}

// The next name; with `seen`, the next that is not among those, to which it is added. Throws InputError if there seems
// to be no other.
std::u32string different_name(const std::function<std::u32string()>& draw, std::set<std::u32string>* seen) {
    constexpr std::size_t kMostDraws = 10'000;
    for (std::size_t draws = 0; draws < kMostDraws; ++draws) {
        std::u32string name = draw();
        if (seen == nullptr || seen->insert(name).second) {
            return name;
        }
    }
    throw InputError(
        fmt::format("--unique: found {} different names, and no other in {} draws; ask for fewer (-n), or "
                    "raise --temperature",
                    seen->size(), kMostDraws));
}

int sample(const SampleCommand& options) {
    constexpr std::size_t kMostInJson = 1'000'000;  // all are kept until the end
    if (options.json && options.count > kMostInJson) {
        throw InputError(fmt::format("-n: at most {} with --json; omit --json for more", kMostInJson));
    }
    const SavedModel saved = read_model(options.model, options.recipe, options.data);
    const SampleOptions how{checked_prefix(options.prefix, saved.vocabulary), options.temperature};
    const std::unique_ptr<Trainable> model = model_to_evaluate(saved);
    if (options.goes_on && !saved.batches) {
        throw InputError("--continue: " + printable(options.model.path) +
                         " lacks the state of the generator that drew the batches; give --seed instead");
    }
    const std::uint64_t seed = options.seed.value_or(saved.recipe.sample_seed);
    TorchGenerator generator = options.goes_on ? *saved.batches : torch_seeded(seed);
    const std::optional<std::set<std::u32string>> known = known_names(saved);

    Json names = Json::array();
    std::size_t new_ones = 0;
    std::set<std::u32string> seen;
    const std::size_t context = saved.recipe.network.context;
    for (std::size_t i = 0; i < options.count; ++i) {
        const std::u32string name =
            different_name([&] { return sample_name(*model, context, saved.vocabulary, generator, how); },
                           options.unique ? &seen : nullptr);
        const bool is_new = known && !known->contains(name);
        new_ones += is_new ? 1 : 0;
        if (options.json) {
            names.push_back({{"name", to_utf8(name)}, {"new", known ? Json(is_new) : nullptr}});
        } else {
            fmt::print("{}{}\n", printable(to_utf8(name)), known && !is_new ? "  (in the data)" : "");
        }
    }
    if (options.json) {
        const Json json = {{"recipe", saved.recipe.name},
                           {"seed", options.goes_on ? Json() : Json(seed)},
                           {"temperature", options.temperature},
                           {"names", names}};
        fmt::print("{}\n", printed_json(json, 2));
    } else if (known) {
        say("{} of {} are new, that is, not in {}\n", new_ones, options.count,
            shortened(saved.data_path, kLongestShown));
    }
    return kFine;
}

}  // namespace

void add_sample(const Command& program) {
    const Command command = program.add_command("sample", "Generate names with a saved model");
    const auto options = std::make_shared<SampleCommand>();
    command.option("MODEL", options->model, "A model saved by byhand train").shows_default();
    command.option("-n", options->count, "Number of names").whole_number(1).shows_default();
    Option seed = command.option("--seed", options->seed, "Seed of the draws [the recipe's]");
    seed.whole_number(0);
    command.flag("--continue", options->goes_on, "Continue the generator of the training's batches").excludes(seed);
    command
        .option("--temperature", options->temperature,
                "Temperature of the softmax: below 1 favours likely characters, above 1 unlikely ones")
        .number(1e-3, 1e3)
        .shows_default();
    command.flag("--unique", options->unique, "Print no name twice");
    command.option("--prefix", options->prefix, "Prefix of every name");
    Option recipe = command.option("--recipe", options->recipe,
                                   "The recipe of a model from another program: a shipped one or a JSON file");
    recipe.completes(shipped_recipes).not_empty();
    command.option("--data", options->data, "Names with the model's characters, with --recipe [the shipped names]")
        .not_empty()
        .needs(recipe);
    command.flag("--json", options->json, "Print the result as JSON");
    command.on_run([options] { return sample(*options); });
}

}  // namespace byhand::cli
