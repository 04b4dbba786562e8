// Parts shared by the reports of steps and of operations.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "bench/machine.h"
#include "bench/rounds.h"
#include "report/document.h"

namespace byhand::bench {

inline constexpr double kMicro = 1e-6;

// {"median", "p10", "p90"}, in that unit; null if it is empty.
Json json_of(const Spread& spread, double unit);
Json json_of(const std::optional<Spread>& spread, double unit);
Json json_of(const Machine& machine);

// An object with a key for each: its time in microseconds and its ratio.
Json json_of(const std::vector<PeerResult>& peers);

// A table of our times and the peers', without rows; `what` is the title of its first column. The last column, "best",
// is the smallest ratio. A row has the cells of `columns`, of which `peers` may lack some.
Table table_of_peers(const std::string& what, const std::vector<PeerResult>& peers);
std::vector<Cell> row_of_peers(const std::string& what, const Spread& our_seconds, const std::vector<PeerResult>& peers,
                               const std::vector<PeerResult>& columns);
inline constexpr const char* kBest = "best: the time of the fastest other library over ours.";

// A document that contains only the machine.
Document with_heading(const Machine& machine);

// The median in microseconds, "0.62", "78.1", "4466"; for a ratio with its spread, "9.63 (9.41–9.90)". none() if it is
// empty.
Cell micros(const std::optional<Spread>& seconds);
Cell with_spread(const std::optional<Spread>& ratio);

}  // namespace byhand::bench
