// Plots as gnuplot's commands.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/document.h"

namespace byhand {

// Drawn in characters, one plot under the other. Points that are not finite, or not positive on a logarithmic axis, are
// left out.
std::string terminal_script(const std::vector<Plot>& plots, std::size_t columns, std::size_t rows);

// One picture of all, in SVG, one plot under the other. Precondition: there is one.
std::string svg_script(const std::vector<Plot>& plots);

}  // namespace byhand
