#include <cstdlib>
#include <utility>

#include "base/module.h"
#include "peers/peers.h"

namespace byhand::peers {

std::vector<Peer> load(bool no_wider_than_avx2) {
    // Read once, when a library is loaded; opening LibTorch sets OpenBLAS's first.
    std::vector<std::pair<const char*, const char*>> variables = {{"OPENBLAS_NUM_THREADS", "1"},
                                                                  {"OMP_NUM_THREADS", "1"}};
    std::vector<const char*> libraries = {"libxsmm", "onednn", "openblas"};
    if (no_wider_than_avx2) {
        variables.insert(variables.end(),
                         {{"LIBXSMM_TARGET", "hsw"}, {"ONEDNN_MAX_CPU_ISA", "AVX2"}, {"OPENBLAS_CORETYPE", "Haswell"}});
    } else {  // compiled for this CPU
        libraries.insert(libraries.end(), {"eigen", "tiny_dnn"});
    }
    for (const auto& [name, value] : variables) {
        setenv(name, value, /*overwrite=*/0);
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
