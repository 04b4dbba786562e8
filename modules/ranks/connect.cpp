#include "ranks/connect.h"

#include <sched.h>

#include "base/error.h"
#include "base/module.h"

namespace byhand {

std::vector<std::size_t> cores_there() {
    cpu_set_t set;
    std::vector<std::size_t> cores;
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        for (std::size_t core = 0; core < CPU_SETSIZE; ++core) {
            if (CPU_ISSET(core, &set)) {
                cores.push_back(core);
            }
        }
    }
    return cores;
}

std::vector<std::size_t> cores_of_rank(const std::vector<std::size_t>& cores, std::size_t rank, std::size_t ranks) {
    if (cores.empty()) {
        return {};
    }
    if (cores.size() < ranks) {
        return {cores[rank % cores.size()]};
    }
    const auto at = [&](std::size_t share) {
        return cores.begin() + static_cast<std::ptrdiff_t>(share * cores.size() / ranks);
    };
    return {at(rank), at(rank + 1)};
}

void bind_to_cores(const std::vector<std::size_t>& cores) {
    if (cores.empty()) {
        return;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const std::size_t core : cores) {
        CPU_SET(core, &set);
    }
    ::sched_setaffinity(0, sizeof set, &set);
}

}  // namespace byhand

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
