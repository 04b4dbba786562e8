#include "torch_ref/load.h"

#include "base/module.h"
#include "trace/operations.h"

namespace byhand {

const TracedOperations& load_traced_operations() {
    static const TracedOperations* const operations = [] {
        torch_ref::load();  // with the threads and kernels that all of byhand uses
        void* const entry = open_module({.file = "byhand_trace.so",
                                         .symbol = "byhand_trace",
                                         .what = "the module of LibTorch's operations",
                                         .package = "byhand-torch",
                                         .build = "-DBYHAND_WITH_TORCH=ON"});
        return reinterpret_cast<decltype(&byhand_trace)>(entry)();
    }();
    return *operations;
}

}  // namespace byhand
