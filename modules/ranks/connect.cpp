#include "ranks/connect.h"

#include "base/error.h"
#include "base/module.h"
#include "ranks/cores.h"
#include "ranks/gloo.h"

namespace byhand::distributed {
namespace {

auto module_entry() {
    return reinterpret_cast<decltype(&byhand_gloo)>(open_module({.file = "byhand_gloo.so",
                                                                 .symbol = "byhand_gloo",
                                                                 .what = "the module that connects ranks",
                                                                 .package = "byhand-torch",
                                                                 .build = "-DBYHAND_WITH_TORCH=ON and libgloo-dev"}));
}

}  // namespace

std::unique_ptr<Group> connect(const World& world, std::size_t timeout) {
    if (world.size == 1) {
        return std::make_unique<Single>();
    }
    if (!world.file.empty()) {
        bind_to_cores(cores_of_rank(cores_there(), world.rank, world.size));
    }
    return std::unique_ptr<Group>(module_entry()(world, timeout));
}

void check_module() {
    module_entry();
}

}  // namespace byhand::distributed
