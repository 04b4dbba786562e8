// The tables of a comparison: one row for each value. A figure is a column here and a cell of the row, and is then part
// of the table, JSON, CSV and the page.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "documents/presentation.h"
#include "harness/end_to_end/value_report.h"
#include "report/document.h"

namespace byhand {

// End to end. Its rows are tensor_row; the columns are in docs/formats.md.
Table tensor_table(std::string title, Whose whose);
std::vector<Cell> tensor_row(std::size_t step, const ChainFinding& found, const Wording& wording);

// Isolated steps.
Table isolated_table(std::string title);
// Precondition: the value's step was run in isolation.
std::vector<Cell> isolated_row(const std::string& model, const ValueReport& value);

// The figures of a trial, for programs.
Json json_of(const Trial& trial);

}  // namespace byhand
