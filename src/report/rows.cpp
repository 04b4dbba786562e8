#include "report/rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <utility>

#include "report/writers.h"

namespace byhand {
namespace {

std::size_t column_of(const Table& table, const std::string& key) {
    const auto found = std::ranges::find(table.columns, key, &Column::key);
    if (found == table.columns.end()) {
        throw std::out_of_range("no column has the key " + key);
    }
    return static_cast<std::size_t>(found - table.columns.begin());
}

// Numbers that are not finite are strings.
double number_of(const Json& value) {
    if (value.is_number()) {
        return value.get<double>();
    }
    return value.is_string() && value.get<std::string>().ends_with("inf")
               ? std::strtod(value.get<std::string>().c_str(), nullptr)
               : std::numeric_limits<double>::quiet_NaN();
}

// Of cells that are objects, the field that they have of this name.
std::vector<double> numbers(const Table& table, std::size_t column, const std::string& field) {
    std::vector<double> all;
    for (const std::vector<Cell>& row : table.rows) {
        const Json& value = row.at(column).value;
        all.push_back(number_of(value.is_object() ? value.at(field) : value));
    }
    return all;
}

// Whether its cells are objects with such a field.
bool has_field(const Table& table, std::size_t column, const std::string& field) {
    return !table.rows.empty() && table.rows.front().at(column).value.contains(field);
}

}  // namespace

Table rows_where(const Table& table, const std::string& key, const Json& value) {
    const std::size_t column = column_of(table, key);
    Table some = table;
    std::erase_if(some.rows, [&](const std::vector<Cell>& row) { return !(row.at(column).value == value); });
    return some;
}

Table columns_of(const Table& table, const std::vector<std::string>& keys) {
    Table some{table.title, {}, std::vector<std::vector<Cell>>(table.rows.size())};
    for (const std::string& key : keys) {
        const std::size_t column = column_of(table, key);
        some.columns.push_back(table.columns[column]);
        for (std::size_t i = 0; i < table.rows.size(); ++i) {
            some.rows[i].push_back(table.rows[i][column]);
        }
    }
    return some;
}

std::vector<double> numbers(const Table& table, const std::string& key) {
    const std::size_t column = column_of(table, key);
    return numbers(table, column, has_field(table, column, "median") ? "median" : "mean");
}

Series series_of(const Table& table, const std::string& x, const std::string& y, std::string name, Style style) {
    Series series{std::move(name), numbers(table, x), numbers(table, y), {}, {}, style};
    const std::size_t column = column_of(table, y);
    if (has_field(table, column, "median")) {
        series.low = numbers(table, column, "p10");
        series.high = numbers(table, column, "p90");
    } else if (has_field(table, column, "deviation")) {
        const std::vector<double> deviations = numbers(table, column, "deviation");
        const std::vector<double> xs = std::exchange(series.x, {}), means = std::exchange(series.y, {});
        for (std::size_t i = 0; i < deviations.size(); ++i) {
            if (std::isfinite(means[i])) {
                series.x.push_back(xs[i]);
                series.y.push_back(means[i]);
                series.low.push_back(means[i] - deviations[i]);
                series.high.push_back(means[i] + deviations[i]);
            }
        }
    }
    return series;
}

report::Case case_of_row(const Table& table, const std::vector<Cell>& row, const std::string& class_name,
                         const std::string& why) {
    using report::Outcome;
    report::Case one{class_name, "", Outcome::skipped, "", "", ""};
    for (std::size_t i = 0; i < row.size(); ++i) {
        const Cell& cell = row[i];
        const std::string& key = table.columns[i].key;
        if (key == "name") {
            const auto name = cell.value.get<std::string>();
            one.name = name.empty() ? "\"\"" : name;
        } else if (key == "verdict") {
            one.outcome = cell.mark == Mark::good ? Outcome::passed
                          : is_bad(cell.mark)     ? Outcome::failed
                                                  : Outcome::skipped;
            one.type = cell.value.get<std::string>();
            one.message = cell.shown + (why.empty() ? "" : ": " + why);
        } else if (!key.empty() && !cell.value.is_null()) {
            one.text += fmt::format("{}: {}\n", key, field_of(cell.value));
        }
    }
    return one;
}

}  // namespace byhand
