#include "cli/version.h"

#include <fmt/core.h>

#include "base/error.h"
#include "byhand/version.h"
#include "cli/modules.h"
#include "fast/simd/targets.h"
#include "torch_ref/blas.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

std::string kernels_text() {
    if constexpr (kHasFast) {
        const std::string target = simd::target_name();
        return "SIMD kernels for " + (target.starts_with("AVX3") ? "AVX-512" : target);
    } else {
        return "no SIMD kernels: built without the module fast";
    }
}

std::string torch_text() {
    try {
        const std::string version = torch_ref::load().version();
        const std::string core = torch_ref::blas_core();
        return fmt::format("LibTorch {}, {}", version,
                           core == "unknown" ? "with a BLAS other than OpenBLAS" : "OpenBLAS kernels for " + core);
    } catch (const InputError& error) {
        return std::string("no LibTorch: ") + error.what();
    }
}

}  // namespace

std::string version_text(const std::string& name) {
#ifdef __clang__
    const char* compiler = "clang ";
#else
    const char* compiler = "g++ ";
#endif
    return fmt::format("{} {}\ncompiled by {}{}\n{}\n{}", name, kVersion, compiler, __VERSION__, kernels_text(),
                       torch_text());
}

}  // namespace byhand::cli
