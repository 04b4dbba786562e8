#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
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

// A line of one field for each column that has a key; empty if none has.
std::string line_of(const std::vector<Column>& columns, const std::function<std::string(std::size_t)>& field) {
    std::vector<std::string> fields;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!columns[i].key.empty()) {
            fields.push_back(quoted(field(i)));
        }
    }
    return fields.empty() ? "" : fmt::format("{}\r\n", fmt::join(fields, ","));
}

// Of text that a spreadsheet would run as a formula: preceded by ', which it takes for text.
std::string never_a_formula(const std::string& text) {
    const bool begins_one = !text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos;
    return begins_one && text != "-inf" ? "'" + text : text;
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
        const std::vector<Column>& columns = table->columns;
        const std::string keys = line_of(columns, [&](std::size_t i) {
            std::string key = columns[i].key;
            std::ranges::replace(key, '.', '_');
            return key;
        });
        header = header.empty() ? keys : header;
        if (!keys.empty() && keys == header) {
            for (const std::vector<Cell>& row : table->rows) {
                csv += line_of(columns, [&](std::size_t i) {
                    const std::string field = field_of(row[i].value);
                    return row[i].value.is_string() ? never_a_formula(field) : field;
                });
            }
        }
    }
    return header + csv;
}

}  // namespace byhand
