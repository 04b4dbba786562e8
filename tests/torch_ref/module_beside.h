#pragma once

#include <filesystem>

namespace torch_ref_test {

// Whether the module is where byhand::torch_ref::load() looks for it when called by this program.
inline bool module_beside(const std::filesystem::path& program) {
    const std::filesystem::path folder = std::filesystem::canonical(program).parent_path();
    const char* const module = "lib/byhand/byhand_torch_ref.so";
    return std::filesystem::exists(folder / module) || std::filesystem::exists(folder.parent_path() / module);
}

}  // namespace torch_ref_test
