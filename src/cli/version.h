// What byhand --version prints.
#pragma once

#include <string>

namespace byhand::cli {

// The version, and what a bug report needs: compiler, vectors, and LibTorch with its BLAS, if its module can be loaded.
std::string version_text(const std::string& name);

}  // namespace byhand::cli
