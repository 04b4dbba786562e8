#include "lab/walkthrough/walkthrough.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "base/value.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/study.h"
#include "lab/training.h"
#include "manual/formulas.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "names/dataset.h"
#include "report/rows.h"
#include "steps/runner.h"
#include "train/run.h"
#include "train/sampler.h"

namespace byhand::lab {
namespace {

// The network after one step: forward, backward and update.
struct Walk {
    const Graph& network;
    const Tensors<float>& values;
    const Followed& followed;

    const Glossary& glossary() const { return network.glossary; }
    double value(const std::string& name, std::size_t position) const {
        return static_cast<double>(values[name][position]);
    }
};

// With few digits where they are small: never more than 8 columns.
Cell figure(double value) {
    constexpr double kSmall = 1e-3;
    return significant(value + 0.0, std::abs(value) < kSmall ? 2 : 3);  // no −0
}

// With enough digits to see what an update does.
Cell precise(double value) {
    constexpr double kLarge = 1000;
    return std::abs(value) < kLarge ? fixed(value, 6) : significant(value, 6);
}

// ---- chapters ----

// The steps of one operation in one layer, in order.
struct Chapter {
    std::string operation;  // as its folder in src/manual is called; empty without one
    Layer layer;
    std::vector<const Step*> steps;
};

std::vector<Chapter> chapters_of(const Graph& network, const StepList& list) {
    const std::vector<Operation> all = operations(network.config);
    std::vector<Chapter> chapters;
    for (const Step& step : list) {
        const auto formula = std::ranges::find(formulas(), step.in_float.name, &Formula::function);
        const std::string operation = formula != formulas().end() ? formula->operation : "";
        const Layer& layer = all[step.operation].layer;
        if (chapters.empty() || chapters.back().operation != operation ||
            chapters.back().layer.number != layer.number) {
            chapters.push_back({operation, layer, {}});
        }
        chapters.back().steps.push_back(&step);
    }
    return chapters;
}

std::string title_of(const Chapter& chapter, const Walk& walk) {
    std::string name = chapter.operation;
    std::ranges::replace(name, '_', ' ');
    if (chapter.operation == "embedding" || chapter.operation == "cross_entropy") {
        return name;
    }
    return fmt::format("Layer {} of {}{}, {}", chapter.layer.number, layers(walk.network.config).size(),
                       chapter.layer.is_output ? " (the output)" : "", name);
}

// A line a value: forward its meaning, backward the rule that its gradient follows from. From the glossary.
std::string lines_of(const Chapter& chapter, const Walk& walk) {
    std::string lines;
    for (const Step* step : chapter.steps) {
        const std::string& name = step->makes;
        const bool is_gradient = value_of(name).kind == ValueKind::gradient;
        const std::string words = is_gradient ? rule(walk.glossary(), name) : meaning(walk.glossary(), name);
        lines += words.empty() ? "" : fmt::format("\n{}: {}", name, words);
    }
    return lines;
}

// ---- the document ----

// The elements of a value that belong to the followed row, for programs; of a step also what it is.
void add_data(Document& document, const char* phase, const std::string& chapter, const Step& step,
              const std::vector<Place>& places, const Walk& walk) {
    Json values = Json::array();
    for (const Place& place : places) {
        values.push_back({{"index", index_of(step.shape, place.position)},
                          {"label", place.label},
                          {"value", number(walk.value(step.makes, place.position))}});
    }
    document.data["steps"].push_back({{"phase", phase},
                                      {"chapter", chapter},
                                      {"name", step.makes},
                                      {"symbol", symbol(walk.glossary(), step.makes)},
                                      {"meaning", meaning(walk.glossary(), step.makes)},
                                      {"rule", rule(walk.glossary(), step.makes)},
                                      {"shape", step.shape},
                                      {"reads", step.reads},
                                      {"function", step.in_float.name},
                                      {"values", std::move(values)}});
}

void add(Formulas& formulas, const Step& step) {
    if (std::ranges::find(formulas.formulas, step.in_float.name, &ShownFormula::function) == formulas.formulas.end()) {
        formulas.formulas.emplace_back(step.in_float.name);
    }
}

// The chapter's values with the parameters that are first used here, and the formulas.
void add_chapter(Document& document, const char* phase, const Chapter& chapter, const Walk& walk,
                 std::set<std::string>& shown) {
    Table table{"", {"byhand", "notes", "shape", "", "", ""}, {}};
    const auto add_row = [&](const std::string& name, const Shape& shape) {
        std::vector<Place> places = places_of(name, shape, walk.followed);
        std::vector<Cell>& row =
            table.rows.emplace_back(std::vector<Cell>{name, symbol(walk.glossary(), name), to_string(shape)});
        for (const Place& place : places) {
            row.push_back(figure(walk.value(name, place.position)));
        }
        row.resize(table.columns.size(), Cell(""));
        shown.insert(name);
        return places;
    };
    const std::string title = title_of(chapter, walk);
    Formulas formulas;
    for (const Step* step : chapter.steps) {
        for (const TensorSpec& parameter : parameters(walk.network.config)) {
            if (!shown.contains(parameter.name) &&
                std::ranges::find(step->reads, parameter.name) != step->reads.end()) {
                add_row(parameter.name, parameter.shape);
            }
        }
        add_data(document, phase, title, *step, add_row(step->makes, step->shape), walk);
        add(formulas, *step);
    }
    document.blocks.emplace_back(Text{fmt::format("{}, {}.{}", title, phase, lines_of(chapter, walk))});
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(std::move(formulas));
}

bool contains(const std::vector<TensorSpec>& specs, const std::string& name) {
    return std::ranges::find(specs, name, &TensorSpec::name) != specs.end();
}

// Each parameter and running statistic by its first shown element.
void add_update(Document& document, const Walk& walk, double rate) {
    Table table{fmt::format("Update, at a learning rate of {:g}: the first shown element", rate),
                {"byhand", "notes", "shape", "before", "by", "after"},
                {}};
    Formulas formulas;
    for (const Step& step : walk.network.update) {
        const std::string of = without_kind(step.makes);
        const std::size_t at = places_of(of, step.shape, walk.followed).front().position;
        const bool is_parameter = contains(parameters(walk.network.config), of);
        if (is_parameter || contains(running_figures(walk.network.config), of)) {  // no state of an optimizer
            const std::string by = is_parameter ? gradient_of(of) : step.reads[1];
            table.rows.push_back({of, symbol(walk.glossary(), of), to_string(step.shape), precise(walk.value(of, at)),
                                  figure(walk.value(by, at)), precise(walk.value(step.makes, at))});
        }
        add(formulas, step);
        add_data(document, "update", "update", step, {{at, ""}}, walk);
    }
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(std::move(formulas));
}

// ---- names ----

std::vector<std::u32string> names_by(const Tensors<float>& state, const Run& run, std::size_t count) {
    const std::unique_ptr<Trainable> model = evaluated(run.recipe.network, state, run.train);
    TorchGenerator generator = torch_seeded(run.recipe.sample_seed);
    std::vector<std::u32string> names;
    names.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        names.push_back(sample_name(*model, run.recipe.network.context, run.vocabulary, generator, {}));
    }
    return names;
}

Cell shown(const std::u32string& name) {
    constexpr std::size_t kLongest = 30;
    return {to_utf8(name.substr(0, kLongest)) + (name.size() > kLongest ? "…" : ""), to_utf8(name)};
}

// Trains by the recipe, and lets the network write names, before and after.
void add_names(Document& document, std::size_t count, const Run& run, const Setup& setup) {
    constexpr std::size_t kParts = 100;
    Training training{.recipe = in_steps(setup.recipes.front(), setup.steps)};
    training.watch = [&](std::size_t steps, Trainable&) {
        const std::size_t part = steps * kParts / setup.steps;
        if (steps > 0 && part > (steps - 1) * kParts / setup.steps) {
            setup.setting.progress(part, kParts);
        }
    };
    const Trained trained = train_one(training, setup.material);
    document.data["training"] = {{"steps", trained.steps}, {"val", number(trained.val)}};
    if (!trained.finite) {
        document.blocks.emplace_back(Text{fmt::format(
            "Names: none, because the training ended after {} steps with a loss that is not finite.", trained.steps)});
        return;
    }
    const std::vector<std::u32string> before = names_by(run.initial, run, count);
    const std::vector<std::u32string> after = names_by(trained.state, run, count);
    const std::size_t known = also_in(Names(after.begin(), after.end()), run.names.train);
    Table table{"", {{"before the first step", "before"}, {fmt::format("after {}", setup.steps), "after"}}, {}};
    for (std::size_t i = 0; i < count; ++i) {
        table.rows.push_back({shown(before[i]), shown(after[i])});
    }
    document.data["names"] = {{"known", known}, {"written", json_of_rows(table)}};
    document.blocks.emplace_back(Text{fmt::format(
        "Names. The same step {} times, each time on another batch: the validation loss is then {:.4f}. The network "
        "writes one character at a time, each drawn by its probability, until it draws '.'. Of the {} names on the "
        "right, {} are also in the training names.",
        setup.steps, trained.val, after.size(), known)});
    document.blocks.emplace_back(std::move(table));
    Study curve{.key = "curve", .title = "Loss of the batches", .arms = {""}, .measure = "nats"};
    if (!trained.curve.empty()) {
        lab::add(document, {loss_curves(std::move(curve), {trained})});
    }
}

// The loss of the same batch after the update.
double loss_after(const Run& run, const Batch& batch, float rate) {
    const std::unique_ptr<Trainable> model = make_step_model(stepwise_graph(run.recipe.network, run.recipe.batch));
    model->load(run.initial);
    model->train_step(batch, rate);
    return static_cast<double>(model->train_step(batch, rate));
}

std::string opening(const Run& run, const Followed& followed) {
    constexpr std::size_t kRows = 8;
    const std::size_t rows = run.recipe.batch;
    std::string batch;
    for (std::size_t row = 0; row < std::min(rows, kRows); ++row) {
        batch += (row == 0 ? "" : ", ") + row_in_words(row, followed.wording);
    }
    return fmt::format(
        "Recipe {}: every value of its first training step in order, with the symbol of the notes, the shape, the "
        "first few numbers of the followed row, and the formulas of the functions that compute them. Forward each "
        "value has its meaning, backward the rule by which its gradient follows.\n"
        "The batch: the network predicts a character from the {} before; '.' stands where a name begins and ends. {} "
        "examples are drawn from the {} of the training names:\n"
        "{}{}\n"
        "Followed is {}.",
        run.recipe.name, run.recipe.network.context, rows, run.train.size(), batch, rows > kRows ? ", …" : ".",
        row_in_words(followed.row, followed.wording));
}

}  // namespace

Experiment walkthrough_experiment() {
    const auto prepare = [] {
        return prepared<WalkthroughOptions>(
            [](WalkthroughOptions& options) -> std::vector<OwnOption> {
                return {{"--row", "Row of the batch to follow", &options.row, 0},
                        {"-n", "Number of names", &options.names, 1, 1000}};
            },
            walkthrough);
    };
    return {.name = "walkthrough",
            .note = "note 1",
            .about = "One training step in order, ending in names",
            .networks = Networks::chain,
            .steps = 20'000,
            .prepare = prepare};
}

Document walkthrough(const WalkthroughOptions& options, const Setup& setup) {
    Run run = prepare(setup.recipes.front(), setup.material.names, setup.material.where);
    const NetworkConfig& network = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    if (options.row >= rows) {
        throw InputError(fmt::format("--row: the batch has no row {}; its rows are 0 to {}", options.row, rows - 1));
    }
    DrawnBatch batch(rows, network.context);
    draw_batch(batch, run.train, run.generator);
    const auto rate = static_cast<float>(rate_at(run.recipe, 0));

    Runner<float> runner(stepwise_graph(network, rows));
    copy_into(runner.tensors(), run.initial);
    runner.set_batch(batch.view());
    runner.set_rate(rate);
    runner.forward();
    runner.backward();
    runner.update();

    const Graph& graph = runner.graph();
    const Followed followed{options.row,
                            {network, graph.glossary, printable_characters(run.vocabulary), batch.X, batch.Y}};
    const Walk walk{graph, runner.tensors(), followed};
    Document document{"lab walkthrough", "note 1", "One training step, in order", {}, {}, {}, true};
    document.blocks.emplace_back(Text{opening(run, followed)});
    std::set<std::string> shown_values;
    for (const Chapter& chapter : chapters_of(graph, graph.forward)) {
        add_chapter(document, "forward", chapter, walk, shown_values);
    }
    for (const Chapter& chapter : chapters_of(graph, graph.backward)) {
        add_chapter(document, "backward", chapter, walk, shown_values);
    }
    add_update(document, walk, rate_at(run.recipe, 0));
    const double before = walk.value("loss", 0), after = loss_after(run, batch.view(), rate);
    document.blocks.emplace_back(
        Text{fmt::format("On the same batch the loss goes from {:.4f} to {:.4f}.", before, after)});
    document.data["row"] = options.row;
    document.data["loss"] = {{"before", number(before)}, {"after", number(after)}};
    add_names(document, options.names, run, setup);
    return document;
}

}  // namespace byhand::lab
