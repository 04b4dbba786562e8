// What a table with keyed columns gives besides its text: its rows for programs, and a curve.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "report/document.h"

namespace byhand::lab {

// An object a row: the values of its cells by the columns' keys.
inline Json rows_of(const Table& table) {
    Json rows = Json::array();
    for (const std::vector<Cell>& row : table.rows) {
        Json object = Json::object();
        for (std::size_t i = 0; i < row.size(); ++i) {
            object[table.columns[i].key] = row[i].value;
        }
        rows.push_back(std::move(object));
    }
    return rows;
}

// The column of this key. Precondition: the table has it.
inline std::size_t column_of(const Table& table, const std::string& key) {
    return static_cast<std::size_t>(std::ranges::find(table.columns, key, &Column::key) - table.columns.begin());
}

// The same table with these columns only, in this order.
inline Table select(const Table& table, const std::vector<std::string>& keys) {
    Table selected{table.title, {}, std::vector<std::vector<Cell>>(table.rows.size())};
    for (const std::string& key : keys) {
        const std::size_t column = column_of(table, key);
        selected.columns.push_back(table.columns[column]);
        for (std::size_t i = 0; i < table.rows.size(); ++i) {
            selected.rows[i].push_back(table.rows[i][column]);
        }
    }
    return selected;
}

// A list; numbers that are not finite as base/json.h writes them.
inline Json numbers(const std::vector<double>& values) {
    Json all = Json::array();
    for (const double value : values) {
        all.push_back(number(value));
    }
    return all;
}

// The column of key y over that of key x. A mean with its deviation has a band, and is left out where it is not finite.
inline Series curve_of(const Table& table, const std::string& x, const std::string& y, std::string name = "") {
    const auto number_of = [](const Json& value) {
        return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    };
    const std::size_t x_column = column_of(table, x), y_column = column_of(table, y);
    Series series{std::move(name), {}, {}, {}, {}, Style::both};
    for (const std::vector<Cell>& row : table.rows) {
        const Json& value = row[y_column].value;
        const double mean = number_of(value.is_object() ? value["mean"] : value);
        if (value.is_object() && !std::isfinite(mean)) {
            continue;
        }
        series.x.push_back(number_of(row[x_column].value));
        series.y.push_back(mean);
        if (value.is_object()) {
            series.low.push_back(mean - number_of(value["deviation"]));
            series.high.push_back(mean + number_of(value["deviation"]));
        }
    }
    return series;
}

}  // namespace byhand::lab
