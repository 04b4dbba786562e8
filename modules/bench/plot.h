// A sweep as a plot.
#pragma once

#include <string>
#include <vector>

#include "bench/report.h"
#include "bench/sweep.h"

namespace byhand::bench {

// gnuplot's commands for an SVG: the time of a step in each implementation, and the ratio below it, against the swept
// size. `results` has one entry for each value of the sweep, in order.
std::string plot_script(const std::string& recipe, const bench::Sweep& sweep,
                        const std::vector<bench::Result>& results);

}  // namespace byhand::bench
