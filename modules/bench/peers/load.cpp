#include <cstdlib>

#include "base/module.h"
#include "bench/peers/peers.h"

namespace byhand::peers {

std::vector<Peer> load(bool no_wider_than_avx2) {
    std::vector<const char*> libraries = {"libxsmm"};
    if (no_wider_than_avx2) {
        setenv("LIBXSMM_TARGET", "hsw", /*overwrite=*/0);  // read once, when the library is loaded
    } else {
        libraries.push_back("eigen");  // compiled for this CPU
    }
    std::vector<Peer> all;
    for (const char* library : libraries) {
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
