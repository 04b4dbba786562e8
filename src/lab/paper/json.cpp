#include "lab/paper/json.h"

#include "base/json.h"
#include "lab/paper/text.h"

namespace byhand::lab {
namespace {

Json json_of(const Table& table) {
    Json rows = Json::array();
    for (const std::vector<Cell>& row : table.rows) {
        Json cells = Json::array();
        for (const Cell& cell : row) {
            cells.push_back(cell.value);
        }
        rows.push_back(std::move(cells));
    }
    return {{"title", table.title}, {"columns", table.columns}, {"rows", std::move(rows)}};
}

Json numbers(const std::vector<double>& values) {
    Json all = Json::array();
    for (const double value : values) {
        all.push_back(number(value));
    }
    return all;
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

std::string to_json(const Paper& paper, const SourceOf& source) {
    Json json = {
        {"experiment", paper.experiment}, {"note", paper.note}, {"title", paper.title}, {"agrees", paper.agrees}};
    json.update(paper.data);
    for (const char* list : {"text", "formulas", "tables", "plots"}) {
        json[list] = Json::array();
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
