// The processor's caches.
#pragma once

#include <cstddef>
#include <vector>

namespace byhand::cli {

// Bytes of those that hold data, the smallest first, as Linux tells; empty where it does not.
std::vector<std::size_t> data_caches();

}  // namespace byhand::cli
