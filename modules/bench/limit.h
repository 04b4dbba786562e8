// The least time that a machine needs for an operation by the formulas of modules/fast/simd.
#pragma once

#include <cstddef>

#include "base/timed_operation.h"
#include "bench/machine.h"

namespace byhand::bench {

// What an operation cannot do without.
struct Work {
    double flops = 0;                   // of a product, or of the multiplications in the formulas of modules/fast/simd
    std::size_t numbers = 0;            // of each array that it reads or writes, in panels; 0 for a product
    std::size_t reads = 0, writes = 0;  // arrays
};
Work work_of(const OperationShape& shape);

// Seconds to read and write these arrays, results in place of operands, and do nothing else: the median of several
// loops. 0 without arrays.
double pass_seconds(const Work& work, std::size_t rounds);

// The longer of its FLOP at the machine's peak and, in seconds, a pass over its arrays.
double limit_of(const Work& work, double pass, const Machine& machine);

}  // namespace byhand::bench
