// A document as one self-contained page: no network access, no script.
#pragma once

#include <string>
#include <string_view>

#include "report/document.h"

namespace byhand {

// Escaped words; what is between backticks is code.
std::string in_html(std::string_view words);

// A table that scrolls where it is wider than the page. Columns with a drop order are not shown on a narrow screen, and
// a line below says so. Empty where all columns are hidden.
std::string to_html(const Table& table);

// HTML that is also XML. `svg` is the image of the plots, as written by gnuplot, or empty.
std::string to_html(const Document& document, const std::string& svg = "");

}  // namespace byhand
