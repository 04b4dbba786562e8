#include "lab/paper/json.h"

#include "harness/report_number.h"
#include "lab/paper/text.h"
#include "recipe/printed_json.h"

namespace byhand::lab {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const Table& table) {
    ordered_json rows = ordered_json::array();
    for (const std::vector<Cell>& row : table.rows) {
        ordered_json& cells = rows.emplace_back(ordered_json::array());
        for (const Cell& cell : row) {
            cells.push_back(cell.value);
        }
    }
    return {{"title", table.title}, {"columns", table.columns}, {"rows", std::move(rows)}};
}

ordered_json numbers(const std::vector<double>& values) {
    ordered_json all = ordered_json::array();
    for (const double value : values) {
        all.push_back(report::number(value));
    }
    return all;
}

ordered_json json_of(const Plot& plot) {
    ordered_json series = ordered_json::array();
    for (const Series& one : plot.series) {
        ordered_json entry = {{"name", one.name}, {"x", numbers(one.x)}, {"y", numbers(one.y)}};
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

std::string to_json(const Paper& paper, const SourceOf& source) {
    ordered_json json = {
        {"experiment", paper.experiment}, {"note", paper.note}, {"title", paper.title}, {"agrees", paper.agrees}};
    json.update(paper.data);
    for (const char* list : {"text", "formulas", "tables", "plots"}) {
        json[list] = ordered_json::array();
    }
    for (const Block& block : paper.blocks) {
        if (const auto* words = std::get_if<Text>(&block)) {
            json["text"].push_back(words->words);
        } else if (const auto* table = std::get_if<Table>(&block)) {
            json["tables"].push_back(json_of(*table));
        } else {
            for (const std::string& function : std::get<Formulas>(block).functions) {
                const SourceLine found = formula_of(function, source);
                json["formulas"].push_back(
                    {{"formula", found.formula}, {"function", function}, {"file_line", found.place}});
            }
        }
    }
    for (const Plot& plot : paper.plots) {
        json["plots"].push_back(json_of(plot));
    }
    return printed_json(json, 1) + "\n";
}

}  // namespace byhand::lab
