#include "ranks/cores.h"

#include <sched.h>

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
