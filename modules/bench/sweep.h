// The cost of a step as a function of one of the network's sizes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/report.h"
#include "recipe/recipe.h"

namespace byhand::bench {

enum class Size { hidden, batch, embedding, context };

struct Sweep {
    Size size = Size::hidden;
    std::size_t from = 1, to = 1;
};

// "hidden=16..4096". Throws InputError that lists the valid values.
Sweep sweep_of(const std::string& text);

// The user's name for it: "hidden".
std::string name_of(Size size);

// From the first, each twice the one before, up to the last.
std::vector<std::size_t> values_of(const Sweep& sweep);

// The recipe with that size; "hidden" applies to every hidden layer.
Recipe with_size(Recipe recipe, Size size, std::size_t value);

// A line of CSV: value,step_us,torch_step_us,ratio,gflops. Without LibTorch two of them are empty.
std::string csv_header();
std::string csv_line(std::size_t value, const Result& result);

// gnuplot's commands for an SVG: the time of a step in each implementation, and the ratio below it, against the swept
// size. `results` has one entry for each value of the sweep, in order.
std::string plot_script(const std::string& recipe, const Sweep& sweep, const std::vector<Result>& results);

}  // namespace byhand::bench
