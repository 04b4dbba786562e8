// Limits of what a training step makes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "steps/step.h"

namespace byhand {

// The unit of double's rounding over that of float's.
inline constexpr double kDoubles = 0x1p-29;

// The limits of every element by name; a value without limits is an input, and must be equal.
using Limits = std::map<std::string, std::vector<double>>;

// Of every element the larger of two.
Limits wider(Limits limits, const Limits& others);

// The same chain in double: errors are to those of float as the units of the two are, and the oracle's own, which
// computes in double as well, come on top. What follows from the rate keeps float's: it is a float in all
// implementations but, perhaps, the external one.
Limits in_double(Limits limits, const Graph& network);

}  // namespace byhand
