// Plots as gnuplot's commands.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/document.h"

namespace byhand {

// Drawn in characters, one plot below the other. Points that are not finite, or not positive on a logarithmic axis, are
// omitted.
std::string terminal_script(const std::vector<Plot>& plots, std::size_t columns, std::size_t rows);

// One SVG image of all, one plot below the other. Precondition: there is at least one.
std::string svg_script(const std::vector<Plot>& plots);

}  // namespace byhand
