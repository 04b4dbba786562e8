#include <cstdlib>

#include "base/module.h"
#include "peers/peers.h"

namespace byhand::peers {

std::vector<Peer> load() {
    // Read once, when a library is loaded; opening LibTorch sets them first.
    for (const char* name : {"OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"}) {
        setenv(name, "1", /*overwrite=*/0);
    }
    std::vector<Peer> all;
    for (const char* library : {"libxsmm", "onednn", "eigen", "openblas", "tiny_dnn"}) {
        const ModuleToOpen module{.file = std::string("byhand_peer_") + library + ".so",
                                  .symbol = "byhand_peers",
                                  .what = std::string("the module of ") + library,
                                  .package = "",
                                  .build = ""};
        if (has_module(module)) {
            reinterpret_cast<void (*)(std::vector<Peer>&)>(open_module(module))(all);
        }
    }
    return all;
}

}  // namespace byhand::peers
