#include <fmt/core.h>

#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/models.h"
#include "cli/network_options.h"
#include "cli/say.h"
#include "names/dataset.h"
#include "train/losses.h"
#include "train/safetensors.h"
#include "train/saved_model.h"

namespace byhand::cli {
namespace {

struct EvalOptions {
    InputPath model = kSavedModel;
    InputPath data, recipe;
    OutputPath logits;
    bool json = false;
};

// Each character of the names must be known to the model.
void check_characters(const std::vector<std::u32string>& names, const Vocabulary& vocabulary, const std::string& path) {
    for (const std::u32string& name : names) {
        for (const char32_t character : name) {
            if (vocabulary.index(character) < 0) {
                throw InputError(
                    fmt::format("{}: '{}' in the name {} is not among the {} characters that the model knows; "
                                "use names like those it was trained on",
                                path, to_utf8(std::u32string(1, character)), to_utf8(name), vocabulary.size() - 1));
            }
        }
    }
}

// X (n, T) and what the model makes of it, logits (n, V).
void write_logits(const std::string& path, Model& model, const Examples& examples, std::size_t V) {
    const std::size_t n = examples.size();
    std::vector<float> logits(n * V);
    model.logits(logits, examples.X);
    write_tensors(path,
                  {{"X", {n, examples.context}, DType::int64, examples.X.data()},
                   {"logits", {n, V}, DType::float32, logits.data()}},
                  {});
}

int evaluate(const EvalOptions& options) {
    if (!options.logits.empty()) {
        check_writable(options.logits, Content::tensors);
    }
    const SavedModel saved = read_model(options.model, options.recipe, options.data);
    auto [names, path] = names_for(saved, options.data);
    const bool is_its_own = names.hash == saved.data_hash;
    check_characters(names.names, saved.vocabulary, path);
    const Recipe& recipe = saved.recipe;
    const Split split =
        split_names(std::move(names.names), recipe.split_seed, recipe.first_cut, recipe.second_cut, path);
    if (!is_its_own) {
        say("{} is not the file that the model was trained on ({}): its parts are not the model's parts\n",
            printable(path), printable(saved.data_path));
    }
    const std::unique_ptr<Model> model = model_to_evaluate(saved);
    const auto loss = [&](const std::vector<std::u32string>& part) {
        return mean_loss(*model, part, saved.vocabulary, recipe.network.context);
    };
    if (!options.logits.empty()) {
        write_logits(options.logits, *model, examples_of(split.val, saved.vocabulary, recipe.network.context),
                     saved.vocabulary.size());
    }
    const double train = loss(split.train), val = loss(split.val), test = loss(split.test);
    const double val_bigram = bigram_loss(split.val, split.train, saved.vocabulary);
    const double test_bigram = bigram_loss(split.test, split.train, saved.vocabulary);
    const std::size_t val_known = also_in(split.val, split.train), test_known = also_in(split.test, split.train);

    if (options.json) {
        const Json json = {
            {"recipe", recipe.name},
            {"model", saved.trained_by},
            {"steps", saved.steps},
            {"loss", {{"train", train}, {"val", val}, {"test", test}}},
            {"bigram", {{"val", val_bigram}, {"test", test_bigram}}},
            {"names", {{"train", split.train.size()}, {"val", split.val.size()}, {"test", split.test.size()}}},
            {"also_in_train", {{"val", val_known}, {"test", test_known}}}};
        fmt::print("{}\n", printed_json(json, 2));
        return kFine;
    }
    const auto share = [](std::size_t known, std::size_t all) {
        return 100.0 * static_cast<double>(known) / static_cast<double>(all);
    };
    fmt::print("{}, {} steps by {}\n", printable(recipe.name), saved.steps, printable(saved.trained_by));
    fmt::print("part    names    loss   bigram counts   also in the training part\n");
    fmt::print("train  {:>6}  {:.4f}\n", split.train.size(), train);
    fmt::print("val    {:>6}  {:.4f}          {:.4f}   {} ({:.1f} %)\n", split.val.size(), val, val_bigram, val_known,
               share(val_known, split.val.size()));
    fmt::print("test   {:>6}  {:.4f}          {:.4f}   {} ({:.1f} %)\n", split.test.size(), test, test_bigram,
               test_known, share(test_known, split.test.size()));
    return kFine;
}

}  // namespace

void add_eval(const Command& program) {
    const Command command =
        program.add_command("eval", "Measure a saved model: its loss on each part, beside bigram counts");
    const auto options = std::make_shared<EvalOptions>();
    command.option("MODEL", options->model, "What byhand train saved").shows_default();
    command.option("--data", options->data, "Names, one a line, in UTF-8 [those it was trained on]").not_empty();
    command
        .option("--recipe", options->recipe,
                "Of a model that others wrote: a shipped recipe or a JSON file; --data has its characters")
        .not_empty();
    command.option("--logits", options->logits, "Write the validation part's contexts and logits there, as tensors")
        .not_empty();
    command.flag("--json", options->json, "Print the result as JSON");
    command.on_run([options] { return evaluate(*options); });
}

}  // namespace byhand::cli
