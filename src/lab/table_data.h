// What a table with keyed columns gives besides its text: its rows for programs, and a curve.
#pragma once

#include <algorithm>
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

// A list; numbers that are not finite as base/json.h writes them.
inline Json numbers(const std::vector<double>& values) {
    Json all = Json::array();
    for (const double value : values) {
        all.push_back(number(value));
    }
    return all;
}

// The column of this key, y, over the column x. A mean with its deviation has a band. Precondition: the table has both.
inline Series curve_of(const Table& table, const std::string& x, const std::string& y, std::string name = "") {
    const auto column = [&](const std::string& key) {
        return static_cast<std::size_t>(std::ranges::find(table.columns, key, &Column::key) - table.columns.begin());
    };
    const auto number_of = [](const Json& value) {
        return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    };
    const std::size_t x_column = column(x), y_column = column(y);
    Series series{std::move(name), {}, {}, {}, {}, Style::both};
    for (const std::vector<Cell>& row : table.rows) {
        const Json& value = row[y_column].value;
        series.x.push_back(number_of(row[x_column].value));
        if (value.is_object()) {
            const double mean = number_of(value["mean"]), deviation = number_of(value["deviation"]);
            series.y.push_back(mean);
            series.low.push_back(mean - deviation);
            series.high.push_back(mean + deviation);
        } else {
            series.y.push_back(number_of(value));
        }
    }
    return series;
}

}  // namespace byhand::lab
