#include "lab/experiments.h"

#include <algorithm>
#include <stdexcept>

#include "base/error.h"
#include "base/json.h"
#include "base/short_form.h"
#include "base/utf8.h"

namespace byhand::lab {
namespace {

Json json_of(const Table& table) {
    Json rows = Json::array();
    for (const std::vector<Cell>& row : table.rows) {
        Json cells = Json::array();
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (table.columns[i].align != Align::hidden) {
                cells.push_back(row[i].value);
            }
        }
        rows.push_back(std::move(cells));
    }
    Json titles = Json::array();
    for (const Column& column : table.columns) {
        if (column.align != Align::hidden) {
            titles.push_back(column.title);
        }
    }
    return {{"title", table.title}, {"columns", std::move(titles)}, {"rows", std::move(rows)}};
}

Json json_of(const Plot& plot) {
    Json series = Json::array();
    for (const Series& one : plot.series) {
        Json entry = {{"name", one.name}, {"x", numbers(one.x)}, {"y", numbers(one.y)}};
        if (!one.low.empty()) {
            entry["low"] = numbers(one.low);
            entry["high"] = numbers(one.high);
        }
        series.push_back(std::move(entry));
    }
    return {{"title", plot.title}, {"x_label", plot.x_label}, {"y_label", plot.y_label},
            {"log_x", plot.log_x}, {"log_y", plot.log_y},     {"series", std::move(series)}};
}

}  // namespace

std::span<const Experiment> experiments() {
    static const std::vector<Experiment> all = {
        loss_experiment(),    invariance_experiment(), geometry_experiment(),    columns_experiment(),
        padding_experiment(), placement_experiment(),  claims_experiment(),      undo_experiment(),
        batch_experiment(),   backward_experiment(),   conventions_experiment(),
    };
    return all;
}

void check_recipe(const Recipe& recipe, const Experiment& experiment) {
    const auto refuse = [&](const std::string& why) {
        throw InputError("recipe " + printable(recipe.name) + ": " + why);
    };
    if (!is_plain(recipe.network.optimizer)) {
        refuse("has an optimizer, but this experiment requires plain gradient descent");
    }
    const auto is_changed = [](const OperationConfig& one) { return one.affine || one.epsilon || one.momentum; };
    if (std::ranges::any_of(recipe.network.layers, is_changed)) {
        refuse("this experiment requires batch norms, all of the same conventions");
    }
    for (const Operation& one : operations(recipe.network)) {
        if (one.op == op::kFlatten && one.positions > 1) {
            refuse("flattens by parts, but this experiment requires layers that see the whole context");
        }
        if (one.op == op::kResidual || one.op == op::kDropout || one.layer.is_tied) {
            refuse(
                "has a residual connection, a dropout or tied weights, but this experiment requires layers in a "
                "chain, each with its own weights");
        }
        const bool is_other = is_activation(one.op) && one.op != op::kTanh && !experiment.any_activation;
        if (is_other || (is_norm(one.op) && one.op != op::kBatchnorm)) {
            refuse("has a " + one.op + ", but this experiment requires layers with a batchnorm and " +
                   (experiment.any_activation ? "an activation" : "a tanh"));
        }
    }
    std::vector<OperationConfig> changed = recipe.network.layers;
    if (experiment.networks >= Networks::adjustable && place_norms(changed, "before") == 0) {
        refuse("has no activation in a hidden layer, beside which this experiment would place a norm");
    }
}

void fill_in_formulas(Document& document, const SourceOf& source) {
    for (Block& block : document.blocks) {
        if (auto* formulas = std::get_if<Formulas>(&block)) {
            for (ShownFormula& one : formulas->formulas) {
                const SourceLine found = source(one.function);
                if (found.formula.empty()) {
                    throw std::logic_error("no function of src/manual is called " + one.function);
                }
                one.formula = found.formula;
                one.place = found.place;
            }
        }
    }
}

std::string to_json(const Document& document) {
    Json json = {{"experiment", document.subject.substr(document.subject.find(' ') + 1)},
                 {"note", document.note},
                 {"title", document.title},
                 {"agrees", document.agrees}};
    json.update(document.data);
    for (const char* list : {"text", "formulas", "tables", "plots"}) {
        json[list] = Json::array();
    }
    for (const Block& block : document.blocks) {
        if (const auto* words = std::get_if<Text>(&block)) {
            json["text"].push_back(words->words);
        } else if (const auto* table = std::get_if<Table>(&block)) {
            json["tables"].push_back(json_of(*table));
        } else {
            for (const ShownFormula& one : std::get<Formulas>(block).formulas) {
                json["formulas"].push_back(
                    {{"formula", one.formula}, {"function", one.function}, {"file_line", one.place}});
            }
        }
    }
    for (const Plot& plot : document.plots) {
        json["plots"].push_back(json_of(plot));
    }
    return printed_json(json, 1) + "\n";
}

}  // namespace byhand::lab
