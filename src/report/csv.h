// A document for spreadsheets.
#pragma once

#include <string>

#include "report/document.h"

namespace byhand {

// RFC 4180: the keys of the first table's columns, then its rows with all digits, and those of all tables with the same
// keys. Empty without a table.
std::string to_csv(const Document& document);

}  // namespace byhand
