// Libraries whose matrix products are timed beside byhand's. Each is in a module of its own, which is built where the
// library is installed and loaded on request. Modules are compiled for the CPU of the machine that builds them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "base/timed_operation.h"

namespace byhand::peers {

struct Peer {
    std::string name;  // "OpenBLAS"
    // One of the three products of a linear layer, for one thread; empty if the library is timed by whole steps only.
    std::function<PreparedOperation(const OperationInput&)> prepared;
    // A network with its training step, for one thread; empty if the library is timed by products only. The network has
    // a fused step.
    std::function<std::unique_ptr<Model>(const NetworkConfig&, std::size_t rows)> model;
};

// All whose modules are beside the program. Throws InputError if one of these can't be loaded.
std::vector<Peer> load();

}  // namespace byhand::peers

// The entry symbol of a module.
extern "C" void byhand_peers(std::vector<byhand::peers::Peer>& all);
