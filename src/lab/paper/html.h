// An experiment as one page that needs nothing but itself: no network, no script.
#pragma once

#include <string>

#include "harness/report.h"
#include "lab/paper/paper.h"

namespace byhand::lab {

// The page, in HTML that is XML too. `svg` is the picture of the plots, as gnuplot writes it, or empty where there is
// none. Throws std::logic_error where a formula's function is not to be found.
std::string to_html(const Paper& paper, const SourceOf& source, const std::string& svg);

}  // namespace byhand::lab
