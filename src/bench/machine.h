// The machine that is measured on, and what it can do at most.
#pragma once

#include <cstddef>
#include <string>

namespace byhand::bench {

struct Machine {
    std::string cpu;     // by its own name
    std::string target;  // the kernels' vectors
    std::size_t threads = 1;
    double peak_gflops = 0;     // of so many threads
    std::string torch_version;  // empty without LibTorch, as is the next
    std::string blas_core;      // the kind of CPU that LibTorch's BLAS has kernels for
};

// The CPU's name as Linux gives it; "unknown" where it gives none.
std::string cpu_name();

// The best that a loop of multiply-adds on so many threads came to, of several short ones: GFLOP/s of float.
double peak_gflops(std::size_t threads);

}  // namespace byhand::bench
