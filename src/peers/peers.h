// Libraries whose matrix products or whole steps are timed beside byhand's. Each is in a module of its own, which is
// built where the library is installed and loaded on request. Modules are compiled for the CPU of the machine that
// builds them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/timed_operation.h"

namespace byhand::simd {
class Products;
}

namespace byhand::peers {

struct Peer {
    std::string name;  // "OpenBLAS"
    // One of the three products of a linear layer, for one thread; null if the library is timed by whole steps only.
    std::function<PreparedOperation(const OperationInput&)> prepared;
    // Those of a fused step, for one thread; null if the library is timed by single products only.
    std::shared_ptr<const simd::Products> products;
    // The library's own network, to be trained by one thread, for batches of so many rows; null if it has none. Throws
    // InputError, with the reason, if the library can't express the network.
    // NOLINTNEXTLINE(readability-redundant-member-init): it may be left out
    std::function<std::unique_ptr<Model>(const NetworkConfig& network, std::size_t rows)> model = {};
};

// All whose modules are beside the program, or of these the ones that can do without wider vectors than AVX2. Throws
// InputError if one of them can't be loaded.
std::vector<Peer> load(bool no_wider_than_avx2);

}  // namespace byhand::peers

// The entry symbol of a module.
extern "C" void byhand_peers(std::vector<byhand::peers::Peer>& all);
