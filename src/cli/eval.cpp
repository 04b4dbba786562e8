#include <fmt/core.h>

#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/by_name.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "cli/progress.h"
#include "cli/report_options.h"
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
    bool skip_bad_lines = false;
    OutputPath logits;
    ReportOptions report;
};

// The figures of one part of the names. The training part has no bigram loss.
struct EvaluatedPart {
    std::string name;
    std::size_t names = 0;
    double loss = 0;
    std::optional<double> bigram;
    std::size_t also_in_train = 0;
};

// The fields of docs/formats.md.
Json json_of(const SavedModel& saved, const std::vector<EvaluatedPart>& parts) {
    Json json = {{"recipe", saved.recipe.name}, {"model", saved.trained_by}, {"steps", saved.steps}};
    for (const EvaluatedPart& part : parts) {
        json["loss"][part.name] = number(part.loss);
        json["names"][part.name] = part.names;
        if (part.bigram) {
            json["bigram"][part.name] = number(*part.bigram);
            json["also_in_train"][part.name] = part.also_in_train;
        }
    }
    return json;
}

Document document_of(const SavedModel& saved, const std::vector<EvaluatedPart>& parts) {
    Table table{"",
                {"part",
                 "names",
                 "loss",
                 {"bigram counts", "bigram_loss"},
                 {"also in train", "also_in_train"},
                 {"", "share_also_in_train"}},
                {}};
    for (const EvaluatedPart& part : parts) {
        std::vector<Cell>& row = table.rows.emplace_back(std::vector<Cell>{
            part.name, whole(part.names), fixed(part.loss, 4), {"", Json()}, {"", Json()}, {"", Json()}});
        if (part.bigram) {
            row[3] = fixed(*part.bigram, 4);
            row[4] = whole(part.also_in_train);
            row[5] = percent(static_cast<double>(part.also_in_train) / static_cast<double>(part.names));
        }
    }
    return {.subject = "eval",
            .title = fmt::format("{}, {} steps by {}", printable(saved.recipe.name), saved.steps,
                                 printable(saved.trained_by)),
            .blocks = {table, Text{"bigram counts: the loss of a model that only counts pairs of characters in the "
                                   "training part. A network that learns more has a lower one."}},
            .data = json_of(saved, parts)};
}

// Throws InputError unless the model's vocabulary contains every character of the names.
void check_characters(const Names& names, const Vocabulary& vocabulary, const std::string& path) {
    for (const std::u32string_view name : names) {
        for (const char32_t character : name) {
            if (vocabulary.index(character) < 0) {
                throw InputError(
                    fmt::format("{}: '{}' in the name {} is not one of the model's {} characters; "
                                "use names with the characters it was trained on",
                                path, to_utf8(std::u32string(1, character)), to_utf8(name), vocabulary.size() - 1));
            }
        }
    }
}

// X (n, T) and the model's logits (n, V).
void write_logits(const std::string& path, Trainable& model, const Examples& examples, std::size_t V) {
    const std::size_t n = examples.size();
    std::vector<float> logits(n * V);
    const std::vector<std::int64_t> X = examples.all().X;
    model.logits(logits, X);
    write_tensors(
        path, {{"X", {n, examples.context}, DType::int64, X.data()}, {"logits", {n, V}, DType::float32, logits.data()}},
        {});
}

int evaluate(const EvalOptions& options) {
    const ReportFile report(options.report);
    if (!options.logits.empty()) {
        check_writable(options.logits, Content::tensors);
    }
    const SavedModel saved = read_model(options.model, options.recipe, options.data);
    auto [names, path] = names_for(saved, options.data, options.skip_bad_lines);
    // Both files that are read can be defaults.
    std::vector<NamedFile> files = {{"MODEL", options.model, FileUse::reads}, {"--data", path, FileUse::reads}};
    for (const auto& [option, output] :
         {std::pair("--output", &options.report.output), {"--logits", &options.logits}}) {
        if (!output->empty()) {
            files.push_back({option, *output, FileUse::writes});
        }
    }
    refuse_collisions(files);
    const bool is_its_own = names.hash == saved.data_hash;
    check_characters(names.names, saved.vocabulary, path);
    const Recipe& recipe = saved.recipe;
    const Split split = split_names(names.names, recipe.split_seed, recipe.first_cut, recipe.second_cut, path);
    if (!is_its_own) {
        say("{} is not the file that the model was trained on ({}); its split is another one\n", printable(path),
            printable(saved.data_path));
    }
    const std::unique_ptr<Trainable> model = model_to_evaluate(saved);
    std::size_t examples = 0;  // of the parts before
    Progress progress(names.text->size() + names.names.size(), std::nullopt, "measuring", "example");
    const auto loss = [&](const Names& part) {
        std::size_t done = 0;
        const double mean = mean_loss(*model, part, saved.vocabulary, recipe.network.context, [&](std::size_t rows) {
            done = rows;
            progress.reach(examples + rows);
        });
        examples += done;
        return mean;
    };
    if (!options.logits.empty()) {
        write_logits(options.logits, *model, examples_of(split.val, saved.vocabulary, recipe.network.context),
                     saved.vocabulary.size());
    }
    std::vector<EvaluatedPart> parts;
    for (const auto& [name, part] : {std::pair("train", &split.train), {"val", &split.val}, {"test", &split.test}}) {
        parts.push_back({name, part->size(), loss(*part), std::nullopt, 0});
        if (part != &split.train) {
            parts.back().bigram = bigram_loss(*part, split.train, saved.vocabulary);
            parts.back().also_in_train = also_in(*part, split.train);
        }
    }
    progress.finish();
    report.write(document_of(saved, parts));
    return kFine;
}

}  // namespace

void add_eval(const Command& program) {
    const Command command =
        program.add_command("eval", "Measure the loss of a saved model on each part, beside bigram counts");
    const auto options = std::make_shared<EvalOptions>();
    command.option("MODEL", options->model, "A model saved by byhand train").shows_default();
    command.option("--data", options->data, "Names in UTF-8, one per line [those it was trained on]").not_empty();
    add_skip_bad_lines(command, options->skip_bad_lines);
    command
        .option("--recipe", options->recipe,
                "The recipe of a model from another program: a shipped one or a JSON file; --data has its characters")
        .completes(shipped_recipes)
        .not_empty();
    command
        .option("--logits", options->logits,
                "Write the contexts and logits of the validation part to this file, as tensors")
        .not_empty();
    add_report_options(command, options->report);
    command.on_run([options] { return evaluate(*options); });
}

}  // namespace byhand::cli
