#include "lab/walkthrough/walkthrough.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/value.h"
#include "lab/walkthrough/chapters.h"
#include "lab/walkthrough/followed.h"
#include "lab/walkthrough/names.h"
#include "lab/walkthrough/story.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "names/batches.h"
#include "steps/runner.h"
#include "train/run.h"

namespace byhand::lab {
namespace {

// With few digits where they are small: never more than 8 columns.
Cell figure(float value) {
    constexpr double kSmall = 1e-3;
    const auto x = static_cast<double>(value) + 0.0;  // no −0
    return significant(x, std::abs(x) < kSmall ? 2 : 3);
}

// With enough digits to see what an update does.
Cell precise(double value) {
    constexpr double kLarge = 1000;
    return std::abs(value) < kLarge ? fixed(value, 6) : significant(value, 6);
}

// ---- forward and backward ----

constexpr std::size_t kFigures = 3;

struct Row {
    std::string name;
    Shape shape;
    std::vector<Place> places;
};

// The labels of the columns, where all rows that have several figures have the same.
std::vector<std::string> labels_of(const std::vector<Row>& rows) {
    std::vector<std::string> labels;
    bool same = true;
    for (const Row& row : rows) {
        std::vector<std::string> own(row.places.size());
        std::ranges::transform(row.places, own.begin(), &Place::label);
        if (own.size() == 1 && own.front().empty()) {
            continue;
        }
        same = same && (labels.empty() || labels == own);
        labels = own;
    }
    labels.resize(kFigures);
    return same ? labels : std::vector<std::string>(kFigures);
}

Table table_of(const std::vector<Row>& rows, const Told& told) {
    Table table{"", {"byhand", "notes", "shape"}, {}};
    std::ranges::copy(labels_of(rows), std::back_inserter(table.columns));
    for (const Row& row : rows) {
        std::vector<Cell>& cells = table.rows.emplace_back(
            std::vector<Cell>{row.name, symbol(told.network.glossary, row.name), to_string(row.shape)});
        for (const Place& place : row.places) {
            cells.push_back(figure(told.values[row.name][place.position]));
        }
        cells.resize(table.columns.size(), Cell(""));
    }
    return table;
}

// The chapter's values, those that are given and first used here among them, and its formulas.
void tell(Document& document, const Chapter& chapter, const std::string& story, const char* phase, const Told& told,
          std::set<std::string>& shown) {
    std::vector<Row> rows;
    const auto add = [&](const std::string& name, const Shape& shape) {
        rows.push_back({name, shape, places_of(name, shape, told.followed)});
        shown.insert(name);
    };
    Formulas formulas;
    for (const Step* step : chapter.steps) {
        for (const TensorSpec& given : parameters(told.network.config)) {
            if (!shown.contains(given.name) && std::ranges::find(step->reads, given.name) != step->reads.end()) {
                add(given.name, given.shape);
            }
        }
        add(step->makes, step->shape);
        if (std::ranges::find(formulas.formulas, step->in_float.name, &ShownFormula::function) ==
            formulas.formulas.end()) {
            formulas.formulas.emplace_back(step->in_float.name);
        }
        Json values = Json::array();
        for (const Place& place : rows.back().places) {
            values.push_back({{"index", index_of(step->shape, place.position)},
                              {"label", place.label},
                              {"value", number(static_cast<double>(told.values[step->makes][place.position]))}});
        }
        document.data["steps"].push_back({{"phase", phase},
                                          {"name", step->makes},
                                          {"symbol", symbol(told.network.glossary, step->makes)},
                                          {"meaning", meaning(told.network.glossary, step->makes)},
                                          {"shape", step->shape},
                                          {"reads", step->reads},
                                          {"function", step->in_float.name},
                                          {"values", std::move(values)}});
    }
    document.blocks.emplace_back(Text{story});
    document.blocks.emplace_back(table_of(rows, told));
    document.blocks.emplace_back(std::move(formulas));
}

// ---- update ----

bool contains(const std::vector<TensorSpec>& specs, const std::string& name) {
    return std::ranges::find(specs, name, &TensorSpec::name) != specs.end();
}

// Each parameter and running figure by its first shown element: before, what it is moved by, and after. What an
// optimizer makes besides stands among the formulas.
void tell_update(Document& document, const Told& told, double rate) {
    Table learned{"", {"byhand", "notes", "shape", "before", "gradient", "after"}, {}};
    Table running{"", {"byhand", "shape", "before", "this batch's", "after"}, {}};
    Formulas formulas;
    const NormConfig& norm = told.network.config.norm;
    for (const Step& step : told.network.update) {
        const std::string of = without_kind(step.makes);
        const std::size_t at = places_of(of, step.shape, told.followed).front().position;
        const auto value = [&told, at](const std::string& name) { return told.values[name][at]; };
        const auto after = static_cast<double>(value(step.makes));
        if (contains(parameters(told.network.config), of)) {
            learned.rows.push_back({of, symbol(told.network.glossary, of), to_string(step.shape),
                                    precise(static_cast<double>(value(of))), figure(value(gradient_of(of))),
                                    precise(after)});
        } else if (contains(running_figures(told.network.config), of)) {
            running.rows.push_back({of, to_string(step.shape), precise(static_cast<double>(value(of))),
                                    figure(value(step.reads[1])), precise(after)});
        }
        if (std::ranges::find(formulas.formulas, step.in_float.name, &ShownFormula::function) ==
            formulas.formulas.end()) {
            formulas.formulas.emplace_back(step.in_float.name);
        }
        document.data["steps"].push_back(
            {{"phase", "update"},
             {"name", step.makes},
             {"symbol", symbol(told.network.glossary, step.makes)},
             {"meaning", meaning(told.network.glossary, step.makes)},
             {"shape", step.shape},
             {"reads", step.reads},
             {"function", step.in_float.name},
             {"values", {{{"index", index_of(step.shape, at)}, {"label", ""}, {"value", number(after)}}}}});
    }
    const std::string moves =
        is_plain(told.network.config.optimizer)
            ? fmt::format("takes a step against its gradient, {:g} of it, the learning rate", rate)
            : fmt::format(
                  "moves by what the optimizer makes of its gradient (the formulas below), "
                  "at a learning rate of {:g}",
                  rate);
    document.blocks.emplace_back(Text{fmt::format("Update. Everything learned {}.", moves)});
    document.blocks.emplace_back(std::move(learned));
    if (!running.rows.empty()) {
        document.blocks.emplace_back(
            Text{fmt::format("A norm that is to work on a single name has no batch to go by. It keeps running "
                             "statistics, which take {:g} "
                             "of each batch's own.{}",
                             norm.momentum,
                             norm.evaluation == EvaluationFigures::training_set
                                 ? " This recipe puts those of the whole training set in their place at the end."
                                 : "")});
        document.blocks.emplace_back(std::move(running));
    }
    document.blocks.emplace_back(std::move(formulas));
}

// The loss of the same batch after the update.
double loss_after(const Run& run, const Batch& batch, float rate) {
    const std::unique_ptr<Model> model = make_hand_model(HandForm::stepwise, run.recipe.network, run.recipe.batch);
    model->load(run.initial);
    model->train_step(batch, rate);
    return static_cast<double>(model->train_step(batch, rate));
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
    const double rate = rate_at(run.recipe, 0);

    Runner<float> runner(stepwise_graph(network, rows));
    copy_into(runner.tensors(), run.initial);
    runner.set_batch(batch.view());
    runner.set_rate(static_cast<float>(rate));
    runner.forward();
    runner.backward();
    runner.update();

    const Followed followed{options.row,
                            {network, runner.graph().glossary, printable_characters(run.vocabulary), batch.X, batch.Y}};
    const Told told{runner.graph(), runner.tensors(), followed};
    Document document{"lab walkthrough", "note 1", "One training step, in order", {}, {}, {}, true};
    document.blocks.emplace_back(Text{fmt::format(
        "Recipe {}: every value of its first training step, in the order in which it is made. Beside the name here "
        "stands the symbol of the notes; then the shape, and the first few numbers of the row that is followed. Under "
        "each table stand the formulas of its rows in their order, and the functions that compute them.",
        run.recipe.name)});
    document.blocks.emplace_back(Text{story_of_batch(told, run.train.size())});
    std::set<std::string> shown;
    for (const Chapter& chapter : forward_chapters(told.network)) {
        tell(document, chapter, forward_story(chapter, told), "forward", told, shown);
    }
    for (const Chapter& chapter : backward_chapters(told.network)) {
        tell(document, chapter, backward_story(chapter, told), "backward", told, shown);
    }
    tell_update(document, told, rate);
    const auto before = static_cast<double>(told.values["loss"][0]);
    const double after = loss_after(run, batch.view(), static_cast<float>(rate));
    document.blocks.emplace_back(
        Text{fmt::format("On the same batch the loss goes from {:.4f} to {:.4f}.", before, after)});
    document.data["row"] = options.row;
    document.data["loss"] = {{"before", number(before)}, {"after", number(after)}};
    tell_names(document, options, run, material, setting);
    return document;
}

}  // namespace byhand::lab
