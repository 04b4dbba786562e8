// Rows, columns and curves of a table, by the keys of its columns.
#pragma once

#include <string>
#include <vector>

#include "report/document.h"

namespace byhand {

// The rows in which the column with this key has this value. Throws std::out_of_range where no column has the key.
Table rows_where(const Table& table, const std::string& key, const Json& value);

// The columns with these keys, in this order. Throws as above.
Table columns_of(const Table& table, const std::vector<std::string>& keys);

// The numbers of a column, of a mean and deviation the mean, of a median and percentiles the median; NaN where there is
// no number. Throws as above.
std::vector<double> numbers(const Table& table, const std::string& key);

// The column `y` over the column `x`; with a band of one deviation to either side where the cells of `y` are a mean and
// deviation (a mean that is not finite is left out), from p10 to p90 where they are a median and these percentiles.
// Throws as above.
Series series_of(const Table& table, const std::string& x, const std::string& y, std::string name,
                 Style style = Style::line);

}  // namespace byhand
