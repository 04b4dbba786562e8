// A document as one page that needs nothing but itself: no network, no script.
#pragma once

#include <string>

#include "report/document.h"

namespace byhand {

// In HTML that is XML too. `svg` is the picture of the plots, as gnuplot writes it, or empty where there is none.
std::string to_html(const Document& document, const std::string& svg = "");

}  // namespace byhand
