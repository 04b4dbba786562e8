#include "lab/walkthrough/walkthrough.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "base/value.h"
#include "lab/figures.h"
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
    return fmt::format("Layer {} of {}{}, {}", chapter.layer.number, walk.network.config.hidden.size() + 1,
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

// ---- what the numbers of the batch show of a chapter ----

// A column down the batch. Precondition: the tensor has `width` columns.
std::vector<double> column_of(const std::string& name, std::size_t width, const Walk& walk) {
    std::vector<double> column;
    for (std::size_t i = 0; i < walk.values[name].size(); i += width) {
        column.push_back(walk.value(name, i));
    }
    return column;
}

double largest(const std::string& name, const Walk& walk) {
    double most = 0;
    for (const float value : walk.values[name]) {
        most = std::max(most, std::abs(static_cast<double>(value)));
    }
    return most;
}

// The mean of measure(x) over the elements.
template <class Measure>
double mean_over(const std::string& name, const Walk& walk, Measure measure) {
    const std::span<const float> values = walk.values[name];
    double sum = 0;
    for (const float value : values) {
        sum += measure(static_cast<double>(value)) / static_cast<double>(values.size());
    }
    return sum;
}

// The largest difference of an element of dlogits from (Ŷ − Y)/n.
double away_from_one_line(const Walk& walk) {
    const std::size_t V = walk.network.config.vocabulary;
    const auto n = static_cast<double>(walk.network.rows);
    double most = 0;
    for (std::size_t i = 0; i < walk.values["probs"].size(); ++i) {
        const double right = static_cast<std::size_t>(walk.followed.wording.Y[i / V]) == i % V ? 1 : 0;
        most = std::max(most, std::abs(walk.value("dlogits", i) - (walk.value("probs", i) - right) / n));
    }
    return most;
}

using Rows = std::vector<std::vector<Cell>>;

Rows forward_facts(const Chapter& chapter, const Walk& walk) {
    const Step& last = *chapter.steps.back();
    if (chapter.operation == "batchnorm") {
        const auto n = static_cast<double>(walk.network.rows);
        const bool by_n = walk.network.config.norm.batch_divisor == Divisor::n;
        // The result where there are no γ and β.
        const auto function = [](const Step* step) { return step->in_float.name; };
        const Step& normalised = **std::ranges::find(chapter.steps, "batchnorm_normalise", function);
        Rows rows;
        for (const auto& [what, name] :
             {std::pair{"in", chapter.steps.front()->reads.front()}, {"normalised", normalised.makes}}) {
            const MeanAndDeviation of = mean_and_deviation(column_of(name, chapter.layer.outputs, walk));
            rows.push_back({fmt::format("column 0 {}: mean", what), fixed(of.mean, 4)});
            rows.push_back({fmt::format("column 0 {}: deviation", what),
                            fixed(of.deviation * (by_n ? std::sqrt((n - 1) / n) : 1), 4)});
        }
        return rows;
    }
    if (chapter.operation == "tanh") {
        constexpr float kSaturated = 0.97F;
        const auto is_out = [](double h) { return std::abs(static_cast<float>(h)) > kSaturated ? 1.0 : 0.0; };
        return {{"saturated, beyond ±0.97", percent(mean_over(last.makes, walk, is_out))}};
    }
    if (chapter.operation == "cross_entropy") {
        const std::size_t V = walk.network.config.vocabulary, target = walk.followed.target();
        const double probability = walk.value("probs", walk.followed.row * V + target);
        return {{fmt::format("probability of the target, {}", walk.followed.character_in_words(target)),
                 fixed(probability, 4)},
                {"−ln of it", fixed(-std::log(probability), 4)},
                {"loss: the mean of that over the rows", fixed(walk.value("loss", 0), 4)},
                {fmt::format("loss of blind guessing, ln {}", V), fixed(std::log(static_cast<double>(V)), 4)}};
    }
    return {};
}

Rows backward_facts(const Chapter& chapter, const Walk& walk) {
    const Layer& layer = chapter.layer;
    const Step& last = *chapter.steps.back();
    if (chapter.operation == "cross_entropy") {
        return {{"dlogits is (Ŷ − Y)/n, but for", significant(away_from_one_line(walk), 1)}};
    }
    if (chapter.operation == "linear" && layer.has_bias && layer.norm == NormPlace::before) {
        return {
            {fmt::format("largest element of d{}: the norm takes any bias out", layer.b()),
             significant(largest(gradient_of(layer.b()), walk), 1)},
            {fmt::format("largest element of d{}", layer.W()), significant(largest(gradient_of(layer.W()), walk), 1)}};
    }
    if (chapter.operation == "batchnorm") {
        double sum = 0;
        for (const double value : column_of(last.makes, layer.outputs, walk)) {
            sum += value;
        }
        return {{fmt::format("sum of column 0 of {}: 0 but for rounding", last.makes), significant(sum, 1)}};
    }
    if (chapter.operation == "tanh") {
        const auto derivative = [](double h) { return 1 - h * h; };
        return {{"mean of 1 − h², the share that passes",
                 percent(mean_over(chapter.steps.front()->reads.back(), walk, derivative), 0)}};
    }
    if (chapter.operation == "embedding") {
        const std::vector<std::int64_t>& X = walk.followed.wording.X;
        const std::size_t character = walk.followed.character();
        const auto used = std::ranges::count(X, static_cast<std::int64_t>(character));
        return {
            {fmt::format("uses of {}, of the batch's {} places", walk.followed.character_in_words(character), X.size()),
             whole(static_cast<std::size_t>(used))}};
    }
    return {};
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

// The chapter's values with the parameters that are first used here, what they show, and the formulas.
void add_chapter(Document& document, const char* phase, const Chapter& chapter, const Rows& facts, const Walk& walk,
                 std::set<std::string>& shown) {
    constexpr std::size_t kFigures = 3;
    Table table{"", {"byhand", "notes", "shape", "", "", ""}, {}};
    std::vector<std::string> labels;  // of the columns, where all rows that have several figures have the same
    bool same = true;
    const auto add_row = [&](const std::string& name, const Shape& shape) {
        const std::vector<Place> places = places_of(name, shape, walk.followed);
        std::vector<Cell>& row =
            table.rows.emplace_back(std::vector<Cell>{name, symbol(walk.glossary(), name), to_string(shape)});
        std::vector<std::string> own;
        for (const Place& place : places) {
            row.push_back(figure(walk.value(name, place.position)));
            own.push_back(place.label);
        }
        row.resize(table.columns.size(), Cell(""));
        if (own != std::vector<std::string>{""}) {
            same = same && (labels.empty() || labels == own);
            labels = own;
        }
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
    labels.resize(kFigures);
    for (std::size_t i = 0; same && i < kFigures; ++i) {
        table.columns[table.columns.size() - kFigures + i].title = labels[i];
    }
    document.blocks.emplace_back(Text{fmt::format("{}, {}.{}", title, phase, lines_of(chapter, walk))});
    document.blocks.emplace_back(std::move(table));
    if (!facts.empty()) {
        document.blocks.emplace_back(Table{"", {{"in this batch", "figure"}, "value"}, facts});
        for (const Json& fact : json_of_rows(std::get<Table>(document.blocks.back()))) {
            document.data["figures"].push_back(fact);
            document.data["figures"][document.data["figures"].size() - 1].update(
                {{"phase", phase}, {"chapter", title}});
        }
    }
    document.blocks.emplace_back(std::move(formulas));
}

bool contains(const std::vector<TensorSpec>& specs, const std::string& name) {
    return std::ranges::find(specs, name, &TensorSpec::name) != specs.end();
}

// Each parameter and running statistic by its first shown element. What an optimizer makes besides stands among the
// formulas.
void add_update(Document& document, const Walk& walk, double rate) {
    const NetworkConfig& config = walk.network.config;
    Table learned{"", {"byhand", "notes", "shape", "before", "gradient", "after"}, {}};
    Table running{"", {"byhand", "shape", "before", "this batch's", "after"}, {}};
    Formulas formulas;
    for (const Step& step : walk.network.update) {
        const std::string of = without_kind(step.makes);
        const std::size_t at = places_of(of, step.shape, walk.followed).front().position;
        const auto value = [&](const std::string& name) { return walk.value(name, at); };
        if (contains(parameters(config), of)) {
            learned.rows.push_back({of, symbol(walk.glossary(), of), to_string(step.shape), precise(value(of)),
                                    figure(value(gradient_of(of))), precise(value(step.makes))});
        } else if (contains(running_figures(config), of)) {
            running.rows.push_back({of, to_string(step.shape), precise(value(of)), figure(value(step.reads[1])),
                                    precise(value(step.makes))});
        }
        add(formulas, step);
        add_data(document, "update", "update", step, {{at, ""}}, walk);
    }
    document.blocks.emplace_back(Text{fmt::format(
        "Update, at a learning rate of {:g}: each parameter's first shown element, by the formulas below.", rate)});
    document.blocks.emplace_back(std::move(learned));
    if (!running.rows.empty()) {
        document.blocks.emplace_back(
            Text{fmt::format("In evaluation a norm goes by running statistics, which take {:g} of each batch's own.{}",
                             config.norm.momentum,
                             config.norm.evaluation == EvaluationFigures::training_set
                                 ? " This recipe puts those of the whole training set in their place at the end."
                                 : "")});
        document.blocks.emplace_back(std::move(running));
    }
    document.blocks.emplace_back(std::move(formulas));
}

// ---- names ----

std::vector<std::u32string> names_by(const Tensors<float>& state, const Run& run, std::size_t count) {
    const std::unique_ptr<Model> model = evaluated(run.recipe.network, state, run.train);
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
void add_names(Document& document, const WalkthroughOptions& options, const Run& run, const Material& material,
               const Setting& setting) {
    constexpr std::size_t kParts = 100;
    Training training{.recipe = in_steps(options.recipe, options.steps)};
    training.watch = [&](std::size_t steps, Model&) {
        const std::size_t part = steps * kParts / options.steps;
        if (steps > 0 && part > (steps - 1) * kParts / options.steps) {
            setting.progress(part, kParts);
        }
    };
    const Trained trained = train_one(training, material);
    document.data["training"] = {{"steps", trained.steps}, {"val", number(trained.val)}};
    if (!trained.finite) {
        document.blocks.emplace_back(Text{fmt::format(
            "Names: none, because the training ended after {} steps with a loss that is not finite.", trained.steps)});
        return;
    }
    const std::vector<std::u32string> before = names_by(run.initial, run, options.names);
    const std::vector<std::u32string> after = names_by(trained.state, run, options.names);
    const std::size_t known = also_in(Names(after.begin(), after.end()), run.names.train);
    Table table{"", {{"before the first step", "before"}, {fmt::format("after {}", options.steps), "after"}}, {}};
    Json& names = document.data["names"] = {{"known", known}};
    for (std::size_t i = 0; i < before.size(); ++i) {
        table.rows.push_back({shown(before[i]), shown(after[i])});
        names["before"].push_back(to_utf8(before[i]));
        names["after"].push_back(to_utf8(after[i]));
    }
    document.blocks.emplace_back(Text{fmt::format(
        "Names. The same step {} times, each time on another batch: the validation loss is then {:.4f}. The network "
        "writes one character at a time, each drawn by its probability, until it draws '.'. Of the {} names on the "
        "right, {} are also in the training names.",
        options.steps, trained.val, after.size(), known)});
    document.blocks.emplace_back(std::move(table));
    if (!trained.curve.empty()) {
        document.plots.push_back({fmt::format("Loss of the batches, means of {}", kWindow),
                                  "steps",
                                  "",
                                  {{"", curve_steps(trained), trained.curve, {}, {}}}});
    }
}

// The loss of the same batch after the update.
double loss_after(const Run& run, const Batch& batch, float rate) {
    const std::unique_ptr<Model> model = make_step_model(stepwise_graph(run.recipe.network, run.recipe.batch));
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

Document walkthrough(const WalkthroughOptions& options, const Material& material, const Setting& setting) {
    Run run = prepare(options.recipe, material.names, material.where);
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
        add_chapter(document, "forward", chapter, forward_facts(chapter, walk), walk, shown_values);
    }
    for (const Chapter& chapter : chapters_of(graph, graph.backward)) {
        add_chapter(document, "backward", chapter, backward_facts(chapter, walk), walk, shown_values);
    }
    add_update(document, walk, rate_at(run.recipe, 0));
    const double before = walk.value("loss", 0), after = loss_after(run, batch.view(), rate);
    document.blocks.emplace_back(
        Text{fmt::format("On the same batch the loss goes from {:.4f} to {:.4f}.", before, after)});
    document.data["row"] = options.row;
    document.data["loss"] = {{"before", number(before)}, {"after", number(after)}};
    add_names(document, options, run, material, setting);
    return document;
}

}  // namespace byhand::lab
