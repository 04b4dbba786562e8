// A sweep as a picture.
#pragma once

#include <string>
#include <vector>

#include "bench/report.h"
#include "bench/sweep.h"

namespace byhand::cli {

// gnuplot's commands for an SVG: a step's time by each side, and under it the ratio, by the size that is swept. A
// result for each of the sweep's values, in order.
std::string plot_script(const std::string& recipe, const bench::Sweep& sweep,
                        const std::vector<bench::Result>& results);

}  // namespace byhand::cli
