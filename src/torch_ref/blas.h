// The linear algebra library under LibTorch: OpenBLAS on Debian, which has kernels for each type of CPU.
#pragma once

#include <string>

namespace byhand::torch_ref {

// The CPU type with the widest vectors that OpenBLAS has kernels for and this CPU can run: "SkylakeX", "Haswell", or
// empty. OpenBLAS selects it itself on a CPU it knows; it may underestimate a CPU that is newer than itself.
std::string best_blas_core();

// The CPU type whose kernels OpenBLAS currently runs, by its own name. "unknown" if it is another library, or none is
// loaded.
std::string blas_core();

}  // namespace byhand::torch_ref
