// Connects the processes of a training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/tensors.h"
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

// ---- Checks that all ranks have the same inputs ----

// By its hash.
struct Fact {
    std::string name;
    std::uint64_t hash = 0;
};
// Each tensor.
std::vector<Fact> facts_of(const Tensors<float>& state);

// Throws InputError if a rank's facts differ from those of rank 0; it names the first such rank and its first such
// fact, between `before` and `after`.
void check_agreement(Group& group, const std::vector<Fact>& facts, const std::string& before = "",
                     const std::string& after = ": start all ranks alike");

}  // namespace byhand::distributed
