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

// It fits the width. Of a table that is too wide, columns are left out as their `leaves` says, which a line under it
// names; then the last column, if it is to the left, is broken into lines. (A table that has neither stays too wide.)
// Tables with the same columns, of which some may leave, have one layout. The plots are not in it.
std::string to_text(const Document& document, const Terminal& terminal = {});
std::string to_text(const Table& table, const Terminal& terminal = {});

}  // namespace byhand
