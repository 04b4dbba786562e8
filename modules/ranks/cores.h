// The CPU cores of this process.
#pragma once

#include <cstddef>
#include <vector>

namespace byhand {

// The numbers of the cores on which this thread may run; empty if unknown.
std::vector<std::size_t> cores_there();

// The share of one of `ranks` processes: consecutive cores, or a single one that others have too if there are fewer
// cores than processes.
std::vector<std::size_t> cores_of_rank(const std::vector<std::size_t>& cores, std::size_t rank, std::size_t ranks);

// From now on this thread, and those that it starts, run on these only. Nothing if the system refuses.
void bind_to_cores(const std::vector<std::size_t>& cores);

}  // namespace byhand
