// Opens LibTorch's side.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "torch_ref/torch_ref.h"

namespace byhand::torch_ref {

// What LibTorch and its BLAS are given as they are opened. They read it once, then.
struct Opening {
    // Threads for both, whatever the environment says. Not said: one, but for the BLAS as many as the environment names
    // (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS).
    std::optional<std::size_t> threads;
    // The kind of CPU that OpenBLAS takes this one for (OPENBLAS_CORETYPE), whatever the environment says; empty lets
    // it choose. Not said: as the environment has it.
    std::optional<std::string> blas_core;
    // The widest vectors of LibTorch's own kernels (ATEN_CPU_CAPABILITY: "avx2"), likewise.
    std::optional<std::string> capability;
};

// Opens the module once and never closes it: lib/byhand/byhand_torch_ref.so in the program's folder or the one above.
// Only the first call can say how. Throws InputError where the module is absent or can't be opened.
const Factory& load(const Opening& opening = {});

}  // namespace byhand::torch_ref
