// A document as one self-contained page: no network access, no script.
#pragma once

#include <string>

#include "report/document.h"

namespace byhand {

// HTML that is also XML. `svg` is the image of the plots, as written by gnuplot, or empty.
std::string to_html(const Document& document, const std::string& svg = "");

}  // namespace byhand
