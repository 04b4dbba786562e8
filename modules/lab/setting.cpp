#include "lab/setting.h"

#include <numeric>

namespace byhand::lab {

std::vector<std::uint64_t> list(const Seeds& seeds) {
    std::vector<std::uint64_t> all(seeds.count);
    std::iota(all.begin(), all.end(), seeds.first);
    return all;
}

}  // namespace byhand::lab
