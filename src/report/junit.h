// The rows of a table as test cases.
#pragma once

#include <string>
#include <vector>

#include "report/document.h"
#include "report/xml.h"

namespace byhand {

// It has the name of the first cell, and passes, fails or is skipped as its verdict (the column with that key) is good,
// bad or open. What does not pass says why after the verdict; a failure has all values below, by their keys.
report::Case case_of_row(const Table& table, const std::vector<Cell>& row, const std::string& class_name,
                         const std::string& why);

}  // namespace byhand
