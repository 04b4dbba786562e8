// A document as text for a terminal.
#pragma once

#include <cstddef>
#include <string>

#include "report/document.h"

namespace byhand {

struct Terminal {
    std::size_t width = 80;
    bool colour = false;
};

// Fits the width: a table that is too wide drops columns by their `drop_order`, and a line under it names them; then
// the last column, if it is aligned to the left, is wrapped. (A table with neither stays too wide.) Tables with the
// same columns, of which some may be dropped, share one layout. Without the plots.
std::string to_text(const Document& document, const Terminal& terminal = {});
std::string to_text(const Table& table, const Terminal& terminal = {});

}  // namespace byhand
