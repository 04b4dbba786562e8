#include "report/csv.h"

#include <algorithm>
#include <iterator>

#include "report/csv_line.h"

namespace byhand {
namespace {

std::string field_of(const Json& value) {
    return value.is_null() ? "" : value.is_string() ? value.get<std::string>() : printed_json(value, 0);
}

std::string line_of(const std::vector<Column>& columns) {
    std::vector<std::string> keys;
    std::ranges::transform(columns, std::back_inserter(keys), &Column::key);
    return report::csv_line(keys);
}

std::string line_of(const std::vector<Cell>& row) {
    std::vector<std::string> fields;
    std::ranges::transform(row, std::back_inserter(fields), [](const Cell& cell) { return field_of(cell.value); });
    return report::csv_line(fields);
}

}  // namespace

std::string to_csv(const Document& document) {
    std::string header, csv;
    for (const Block& block : document.blocks) {
        const auto* const table = std::get_if<Table>(&block);
        if (table == nullptr) {
            continue;
        }
        const std::string keys = line_of(table->columns);
        header = header.empty() ? keys : header;
        if (keys == header) {
            for (const std::vector<Cell>& row : table->rows) {
                csv += line_of(row);
            }
        }
    }
    return header + csv;
}

}  // namespace byhand
