// The machine of handmade reports.
#pragma once

#include "bench/machine.h"

inline const byhand::bench::Machine kMachine{.cpu = "A CPU",
                                             .target = "AVX2",
                                             .threads = 1,
                                             .peak_gflops = 100,
                                             .torch_version = "1.13.0",
                                             .blas_core = "Haswell"};
