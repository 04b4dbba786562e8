#include "cli/network_options.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "base/memory.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "cli/files.h"
#include "cli/modules.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "fast/fused_tensors.h"
#include "manual/operation.h"
#include "manual/stepwise.h"

namespace byhand::cli {
namespace {

constexpr double kLibTorch = 200e6;

// In bytes: the program with LibTorch, and a number of bytes for each number that a step makes.
double memory_needed(NetworkConfig network, std::size_t rows, double bytes_per_number) {
    network.vocabulary = std::max<std::size_t>(network.vocabulary, 27);  // the data's may not have been read yet
    const Graph steps = stepwise_graph(network, rows);
    double numbers = 0;
    for (const Step* step : all_steps(steps)) {
        numbers += static_cast<double>(count(step->shape));
    }
    return kLibTorch + bytes_per_number * numbers;
}

}  // namespace

void add_network_options(const Command& command, NetworkOptions& options) {
    const Command group = command.in_group(kNetworkGroup);
    group.option("--recipe", options.recipe, "A shipped recipe (byhand recipes lists them) or a JSON file")
        .completes(shipped_recipes)
        .shows_default();
    group.option("--data", options.data, "Names in UTF-8, one per line [the shipped names]").not_empty();
    group.option("--mark", options.mark, "Character that marks where a name begins and ends, and is in none [.]");
    add_skip_bad_lines(group, options.skip_bad_lines);
    group.option("--embedding", options.flags.embedding, "Width of a character's embedding, E").whole_number(0);
    group.option("--hidden", options.hidden, "Widths of the hidden layers: N or N,N,…");
    group.option("--context", options.flags.context, "Characters of context, T").whole_number(0);
    group.option("--batch", options.flags.batch, "Rows of a batch, B").whole_number(0);
    group.option("--seed", options.flags.seed, "Seed of the initial values and the batches").whole_number(0);
    group.option("--split-seed", options.flags.split_seed, "Seed of the shuffle before the split").whole_number(0);
    group.option("--activation", options.flags.activation, "Activation of the hidden layers").one_of(activations());
    group.flag("--residual", options.flags.residual, "Add the layer below to each hidden layer of the same width");
    group.flag("--tied", options.flags.tied, "Tie the output's weights to the embedding (last hidden width = E)");
    group.option("--norm", options.flags.norm, "Place of the norm: before the activation, after it, or none")
        .one_of({"before", "after", "none"});
    group.option("--norm-kind", options.flags.norm_kind, "Kind of norm: batch, layer, RMS, or none")
        .one_of({"batch", "layer", "rms", "none"});
    group.option("--bn-variance", options.flags.bn_variance, "Batch norm's divisor: n - 1 (unbiased) or n (biased)")
        .one_of({"unbiased", "biased"});
    group.option("--bn-eps", options.flags.bn_eps, "Epsilon of the norm, at least 0").number(0, 1e30);
    group
        .option("--optimizer", options.flags.optimizer,
                "Plain SGD, with momentum 0.9, with Nesterov's look-ahead, or AdamW")
        .one_of({"sgd", "momentum", "nesterov", "adamw"});
    group.option("--weight-decay", options.flags.weight_decay, "Weight decay of the optimizer, at least 0")
        .number(0, 1e30);
    group.option("--rate", options.flags.rate, "Constant learning rate, instead of the recipe's schedule")
        .number(1e-30, 1e30);
}

Option add_skip_bad_lines(const Command& command, bool& skip) {
    return command.flag("--skip-bad-lines", skip,
                        "Leave out names that contain the mark ('.'), which is where a name begins and ends");
}

BadLines bad_lines(const NetworkOptions& options) {
    const std::string text = options.mark.value_or(".");
    const CodePoint mark = first_code_point(text);
    if (mark.size == 0 || mark.size != text.size() || is_control(mark.value)) {
        throw InputError("--mark: expected one character in UTF-8, as '|'");
    }
    return {.skip = options.skip_bad_lines, .mark = mark.value};
}

Recipe read_recipe(const std::string& name_or_path) {
    const std::vector<std::string> names = shipped_recipes();
    const bool is_shipped = std::ranges::find(names, name_or_path) != names.end();
    std::error_code error;
    if (!is_shipped && !std::filesystem::exists(name_or_path, error)) {
        throw InputError(fmt::format("there is no recipe or file {}{} (the recipes are {})", name_or_path,
                                     the_nearest(name_or_path, names), fmt::join(names, ", ")));
    }
    const std::string path = is_shipped ? shipped("recipes/" + name_or_path + ".json") : name_or_path;
    constexpr std::size_t kLargest = 1 << 20;  // bytes; the shipped ones take 2,000
    return recipe_from_json(read_text(path, kLargest), path);
}

void add_quick(const Command& command, bool& quick) {
    command.flag("--quick", quick,
                 "Run isolated steps only on the batch and one random draw, not on other values and sizes");
}

void say_if_quick(bool quick) {
    if (quick) {
        say("quick: isolated steps ran only on the batch and one random draw; without --quick, also on other values "
            "and sizes\n");
    }
}

NetworkFlags flags_of(const NetworkOptions& options) {
    NetworkFlags flags = options.flags;
    if (options.hidden) {
        flags.hidden = whole_numbers(*options.hidden, "--hidden");
    }
    return flags;
}

Recipe recipe_of(const NetworkOptions& options) {
    return with_flags(read_recipe(options.recipe), flags_of(options));
}

std::string data_path_of(const std::string& data) {
    if (data.empty()) {
        return shipped("data/names.txt");
    }
    // A redirected standard input has another path in another process.
    std::error_code error;
    const bool is_stream = data.starts_with("/dev/") || data.starts_with("/proc/");
    const std::filesystem::path file = is_stream ? std::filesystem::canonical(data, error) : "";
    return file.empty() || error ? data : file.string();
}

SavedModel read_model(const std::string& path, const std::string& recipe, const std::string& data) {
    std::error_code error;
    if (std::filesystem::status(path, error).type() == std::filesystem::file_type::not_found) {
        throw InputError(path + ": no such file; byhand train creates one");
    }
    if (recipe.empty()) {
        return load_model(path);
    }
    const NamesFile names =
        read_names(data_path_of(data), {.skip = true});  // what is bad is refused when it is measured
    SavedModel model = load_foreign_model(path, read_recipe(recipe), vocabulary_of(names.names));
    model.data_path = data_path_of(data);
    model.data_hash = names.hash;
    return model;
}

NamesFile read_names_aloud(const std::string& path, const BadLines& bad) {
    NamesFile file = read_names(data_path_of(path), bad);
    for (const std::string& remark : remarks(file)) {
        say("{}: {}\n", printable(data_path_of(path)), remark);
    }
    return file;
}

std::string data_path_of(const SavedModel& saved) {
    std::error_code error;
    std::string shipped_names = data_path_of("");
    if (!std::filesystem::exists(saved.data_path, error) && read_names(shipped_names).hash == saved.data_hash) {
        return shipped_names;
    }
    return saved.data_path;
}

NamesAndPath names_for(const SavedModel& saved, const std::string& data, bool skip_bad_lines) {
    const BadLines bad{skip_bad_lines, saved.data_hash, saved.vocabulary.characters.front()};
    if (!data.empty()) {
        return {read_names_aloud(data, bad), data};
    }
    const std::string path = data_path_of(saved);
    try {
        return {read_names_aloud(path, bad), path};
    } catch (const InputError& error) {
        throw InputError(std::string(error.what()) + "; give the names it was trained on with --data");
    }
}

void say_if_step_by_step(const Recipe& recipe) {
    std::set<std::string> names;
    if constexpr (kHasFast) {
        names = operations_without_fused_step(recipe.network);
    }
    if (!names.empty()) {
        say("recipe {}: the fused model runs step by step, which is slower, because {} {} no fused step\n",
            printable(recipe.name), fmt::join(names, " and "), names.size() == 1 ? "has" : "have");
    }
}

Run run_of(const NetworkOptions& options) {
    return prepare(recipe_of(options), read_names_aloud(options.data, bad_lines(options)), data_path_of(options.data));
}

void check_memory(const NetworkConfig& network, std::size_t rows, double bytes_per_number) {
    check_memory_needed(memory_needed(network, rows, bytes_per_number),
                        std::to_string(rows) + " rows of this network need", "give a smaller --batch");
}

}  // namespace byhand::cli
