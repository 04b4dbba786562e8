#include "report/csv.h"

#include <algorithm>

namespace byhand {
namespace {

std::string quoted(const std::string& field) {
    if (field.find_first_of("\",\r\n") == std::string::npos) {
        return field;
    }
    std::string text = "\"";
    for (const char c : field) {
        text += c == '"' ? "\"\"" : std::string(1, c);
    }
    return text + "\"";
}

std::string field_of(const Json& value) {
    return value.is_null() ? "" : quoted(value.is_string() ? value.get<std::string>() : printed_json(value, 0));
}

}  // namespace

std::string to_csv(const Document& document) {
    const auto is_table = [](const Block& block) { return std::holds_alternative<Table>(block); };
    const auto found = std::ranges::find_if(document.blocks, is_table);
    if (found == document.blocks.end()) {
        return "";
    }
    const Table& table = std::get<Table>(*found);
    std::string csv;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        csv += (i > 0 ? "," : "") + quoted(table.columns[i].key);
    }
    csv += "\r\n";
    for (const std::vector<Cell>& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            csv += (i > 0 ? "," : "") + field_of(row[i].value);
        }
        csv += "\r\n";
    }
    return csv;
}

}  // namespace byhand
