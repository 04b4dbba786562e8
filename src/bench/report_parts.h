// What the reports of steps and of operations have in common.
#pragma once

#include <optional>
#include <string>

#include "base/json.h"
#include "bench/machine.h"
#include "bench/rounds.h"

namespace byhand::bench {

inline constexpr double kMicro = 1e-6;

// {"median", "p10", "p90"}, in that unit; null where there is nothing.
Json json_of(const Spread& spread, double unit);
Json json_of(const std::optional<Spread>& spread, double unit);
Json json_of(const Machine& machine);

// The whole of it, indented, with a newline at its end.
std::string text_of(const Json& json);

// The machine in two or three lines, and an empty one.
std::string heading(const Machine& machine);

// Seconds as microseconds: "0.62", "78.1", "4466".
std::string micros(double seconds);

// A ratio and its spread: "9.63 (9.41–9.90)".
std::string with_spread(const Spread& ratio);

}  // namespace byhand::bench
