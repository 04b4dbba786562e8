// The machine of a measurement, and its peak performance.
#pragma once

#include <cstddef>
#include <string>

namespace byhand::bench {

struct Machine {
    std::string cpu;     // its model name
    std::string target;  // the vector type of the kernels
    std::size_t threads = 1;
    double peak_gflops = 0;     // with this many threads
    std::string torch_version;  // this and the next are empty without LibTorch
    std::string blas_core;      // the CPU type that LibTorch's BLAS has kernels for
};

// The CPU's model name as reported by Linux; "unknown" if it reports none.
std::string cpu_name();

// The best rate of several short loops of multiply-adds on this many threads: GFLOP/s of float.
double peak_gflops(std::size_t threads);

}  // namespace byhand::bench
