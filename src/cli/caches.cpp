#include "cli/caches.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace byhand::cli {

std::vector<std::size_t> data_caches() {
    std::vector<std::size_t> sizes;
    for (int index = 0;; ++index) {
        const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
        std::ifstream size_file(folder + "size"), type_file(folder + "type");
        std::size_t size = 0;
        char unit = 0;
        std::string type;
        if (!(size_file >> size >> unit) || !(type_file >> type)) {
            break;
        }
        if (type != "Instruction") {
            sizes.push_back(size * (unit == 'M' ? std::size_t{1} << 20 : std::size_t{1} << 10));
        }
    }
    std::ranges::sort(sizes);
    return sizes;
}

}  // namespace byhand::cli
