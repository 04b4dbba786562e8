// A document for spreadsheets.
#pragma once

#include <string>

#include "report/document.h"

namespace byhand {

// A value as one field, not yet quoted: all digits, the items of a list separated by blanks, nothing for null. Control
// characters become "\x1b".
std::string field_of(const Json& value);

// RFC 4180: the keys of the first table that has keys, then its rows with all digits, and those of all tables with the
// same keys. Empty without such a table.
std::string to_csv(const Document& document);

}  // namespace byhand
