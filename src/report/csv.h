// A document for spreadsheets.
#pragma once

#include <string>

#include "report/document.h"

namespace byhand {

// RFC 4180: of the first table that has keys the columns' keys, then its rows with all digits, and those of all tables
// with the same keys; control characters as "\x1b". Empty without such a table.
std::string to_csv(const Document& document);

}  // namespace byhand
