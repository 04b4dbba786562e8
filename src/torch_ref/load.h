// Loads the LibTorch implementation, and chooses the kernels of the BLAS that it uses.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "torch_ref/torch_ref.h"

namespace byhand::torch_ref {

// Settings that LibTorch and its BLAS read once, when they are loaded.
struct Opening {
    // Threads for both, overriding the environment. Unset: one, but for the BLAS the number in the environment
    // (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS).
    std::optional<std::size_t> threads;
    // The CPU type for OpenBLAS (OPENBLAS_CORETYPE), overriding the environment; empty: OpenBLAS's own choice. Unset:
    // as in the environment.
    std::optional<std::string> blas_core;
    // The widest vectors of LibTorch's own kernels (ATEN_CPU_CAPABILITY: "avx2"), likewise.
    std::optional<std::string> capability;
};

// Loads the module once and never unloads it: lib/byhand/byhand_torch_ref.so in the program's folder or the one above.
// Only the first call can set `opening`. Throws InputError if the module is missing or can't be loaded.
const Factory& load(const Opening& opening);
const Factory& load();

// ---- The linear algebra library under LibTorch: OpenBLAS on Debian, which has kernels for each type of CPU ----

// The CPU type with the widest vectors that OpenBLAS has kernels for and this CPU can run: "SkylakeX", "Haswell", or
// empty. OpenBLAS selects it itself on a CPU it knows; it may underestimate a CPU that is newer than itself.
std::string best_blas_core();

// The CPU type whose kernels OpenBLAS currently runs, by its own name. "unknown" if it is another library, or none is
// loaded.
std::string blas_core();

}  // namespace byhand::torch_ref
