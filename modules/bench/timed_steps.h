// The steps of the fused network that are timed in isolation, each with its kernel and what it cannot do without.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/network.h"
#include "fast/step_kernels.h"
#include "steps/step.h"
#include "steps/value_range.h"

namespace byhand::bench {

struct Work {
    double flops = 0;                   // of a product, or of the multiplications in the formulas of fast/simd
    std::size_t numbers = 0;            // of each array that it reads or writes, in panels; 0 for a product
    std::size_t reads = 0, writes = 0;  // arrays
};

struct KernelOfStep {
    std::string name;  // "linear dW" (base/timed_step.h)
    // The shape of a product; `in` and `out` of a gather or scatter are V and E, else they are the width of the result,
    // or of an update its two extents.
    std::size_t rows = 0, in = 0, out = 0;
    bool has_bias = false;  // linear forward
    Work work = {};
    std::size_t times = 1;  // how often a step of the network contains it
    Step step = {};
    Operation operation = {};
    std::vector<Shape> reads = {};  // the shapes of the step's inputs, and their ranges
    std::vector<ValueRange> ranges = {};
    StepKernel kernel = {};

    bool is_product() const { return work.numbers == 0; }
};

// Shape by shape, in the order of the forward pass, then the backward pass, then the update of the linears' weights.
// The exponentials of the softmax are listed separately and are also part of its cross-entropy. A norm's passes are one
// step each. A tied linear has weights of its own, and the update is plain descent, whatever the network's.
std::vector<KernelOfStep> timed_steps(NetworkConfig config, std::size_t rows);

}  // namespace byhand::bench
