// The memory that this process may have.
#pragma once

#include <filesystem>

namespace byhand {

// The machine's memory in bytes, or a control group's limit where that is less. `root` is "/", but for tests. Infinite
// where nothing tells.
double memory_there(const std::filesystem::path& root = "/");

}  // namespace byhand
