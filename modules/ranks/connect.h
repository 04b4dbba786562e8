// Connects the processes of a training.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/group.h"
#include "ranks/world.h"

namespace byhand::distributed {

// The ranks as a group: of one rank without any connection, else by c10d and Gloo (LibTorch), whose module
// lib/byhand/byhand_gloo.so is loaded here. Returns when all ranks are connected. Throws InputError if the module is
// missing, if another rank does not come within `timeout` seconds, if the port is in use. The group's gather throws
// InputError if another rank has ended, or does not respond within that time; the group is of no use then. A rank that
// byhand itself has started is bound to its share of the cores: a message is faster if the threads that take part in it
// do not move.
std::unique_ptr<Group> connect(const World& world, std::size_t timeout);

// Throws InputError if the module is missing or can't be loaded.
void check_module();

}  // namespace byhand::distributed

// The entry of the module byhand_gloo.so, by which connect() connects more than one rank. The caller owns the group.
extern "C" byhand::Group* byhand_gloo(const byhand::distributed::World& world, std::size_t timeout);

// ---- Which cores the ranks of a machine run on ----

namespace byhand {

// The numbers of the cores on which this thread may run; empty if unknown.
std::vector<std::size_t> cores_there();

// The share of one of `ranks` processes: consecutive cores, or a single one that others have too if there are fewer
// cores than processes.
std::vector<std::size_t> cores_of_rank(const std::vector<std::size_t>& cores, std::size_t rank, std::size_t ranks);

// From now on this thread, and those that it starts, run on these only. Nothing if the system refuses.
void bind_to_cores(const std::vector<std::size_t>& cores);

}  // namespace byhand
