// Libraries whose matrix products are timed beside byhand's. Each is in a module of its own, which is
// built where the library is installed and loaded on request. Modules are compiled for the CPU of the machine that
// builds them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/timed_step.h"

namespace byhand::simd {
class Products;
}

namespace byhand::peers {

struct Peer {
    std::string name;  // "LIBXSMM"
    // One of the three products of a linear layer, for one thread.
    std::function<PackedOperation(const TimedStep&)> packed;
    // Those of a fused step, for one thread; null if the library is timed by single products only.
    std::shared_ptr<const simd::Products> products;
};

// All whose modules are beside the program, or of these the ones that can do without wider vectors than AVX2. Throws
// InputError if one of them can't be loaded.
std::vector<Peer> load(bool no_wider_than_avx2);

}  // namespace byhand::peers

// The entry symbol of a module.
extern "C" void byhand_peers(std::vector<byhand::peers::Peer>& all);
