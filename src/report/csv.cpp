#include "report/csv.h"

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

template <class Item, class FieldOf>
std::string line_of(const std::vector<Item>& items, FieldOf field_of_item) {
    std::string line;
    for (const Item& item : items) {
        line += (&item == &items.front() ? "" : ",") + field_of_item(item);
    }
    return line + "\r\n";
}

}  // namespace

std::string to_csv(const Document& document) {
    std::string header, csv;
    for (const Block& block : document.blocks) {
        const auto* const table = std::get_if<Table>(&block);
        if (table == nullptr) {
            continue;
        }
        const std::string keys = line_of(table->columns, [](const Column& column) { return quoted(column.key); });
        header = header.empty() ? keys : header;
        if (keys == header) {
            for (const std::vector<Cell>& row : table->rows) {
                csv += line_of(row, [](const Cell& cell) { return field_of(cell.value); });
            }
        }
    }
    return header + csv;
}

}  // namespace byhand
