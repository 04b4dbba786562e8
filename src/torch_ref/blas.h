// The linear algebra under LibTorch: OpenBLAS on Debian, which has kernels for each kind of CPU.
#pragma once

#include <string>

namespace byhand::torch_ref {

// The kind of CPU with the widest vectors that OpenBLAS has kernels for and this CPU can run: "SkylakeX", "Haswell", or
// nothing. OpenBLAS finds that out by itself on a CPU it knows; one that came after it, it may take for less.
std::string best_blas_core();

// The kind of CPU whose kernels OpenBLAS runs now, by its own word. "unknown" where it is another library, or none is
// open.
std::string blas_core();

}  // namespace byhand::torch_ref
