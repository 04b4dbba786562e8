// The memory available to this process.
#pragma once

#include <filesystem>

namespace byhand {

// The machine's memory in bytes, or a control group's limit if that is lower. `root` is "/" except in tests. Infinite
// if unknown.
double memory_there(const std::filesystem::path& root = "/");

}  // namespace byhand
