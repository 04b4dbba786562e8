#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/utf8.h"
#include "report/writers.h"

namespace byhand {
namespace {

// RFC 4180.
std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) {
        return text;
    }
    std::string quoted = "\"";
    for (const char c : text) {
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    }
    return quoted + "\"";
}

template <class Fields>
std::string csv_line(const Fields& fields) {
    std::string text;
    const char* between = "";  // the first field may be empty
    for (const auto& field : fields) {
        text += between + quoted(field);
        between = ",";
    }
    return text + "\r\n";
}

std::string line_of(const std::vector<Column>& columns) {
    std::vector<std::string> keys;
    for (const Column& column : columns) {
        if (!column.key.empty()) {
            std::ranges::replace(keys.emplace_back(column.key), '.', '_');
        }
    }
    return keys.empty() ? "" : csv_line(keys);
}

// Of text that a spreadsheet would run as a formula: preceded by ', which it takes for text.
std::string never_a_formula(const std::string& text) {
    const bool begins_one = !text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos;
    return begins_one && text != "-inf" ? "'" + text : text;
}

std::string line_of(const Table& table, const std::vector<Cell>& row) {
    std::vector<std::string> fields;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (!table.columns[i].key.empty()) {
            const Json& value = row[i].value;
            fields.push_back(value.is_string() ? never_a_formula(field_of(value)) : field_of(value));
        }
    }
    return csv_line(fields);
}

}  // namespace

std::string field_of(const Json& value) {
    if (const double* number = std::get_if<double>(&value.value())) {
        return fmt::format("{}", *number);
    }
    if (!value.is_array()) {
        return value.is_null() ? "" : value.is_string() ? printable(value.get<std::string>()) : printed_json(value, 0);
    }
    std::string items;
    for (const Json& item : value) {
        items += (items.empty() ? "" : " ") + field_of(item);
    }
    return items;
}

std::string to_csv(const Document& document) {
    std::string header, csv;
    for (const Block& block : document.blocks) {
        const auto* const table = std::get_if<Table>(&block);
        if (table == nullptr) {
            continue;
        }
        const std::string keys = line_of(table->columns);
        header = header.empty() ? keys : header;
        if (!keys.empty() && keys == header) {
            for (const std::vector<Cell>& row : table->rows) {
                csv += line_of(*table, row);
            }
        }
    }
    return header + csv;
}

}  // namespace byhand
