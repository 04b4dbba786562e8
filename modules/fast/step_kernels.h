// The kernels of simd/ that compute the same as a step, on the step's inputs, which are first copied into panels and
// whole cache lines.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/timed_step.h"
#include "steps/step.h"

namespace byhand {

// What a kernel cannot do without: the multiplications for each number of an array in the formulas of simd/, and how
// many arrays it reads and writes. A product has no arrays.
struct KernelWork {
    std::string timed;  // what its timing is called (base/timed_step.h); empty: it is not timed
    double multiplications = 0;
    std::size_t reads = 0, writes = 0;
};

struct StepKernel {
    std::string name;  // "simd::tanh_forward"
    // The inputs must outlive the operation.
    std::function<PackedOperation(Reads<float>)> pack;
    KernelWork work = {};
};
using StepKernels = std::vector<StepKernel>;

// Packs, runs and unpacks.
Function<float> function_of(const StepKernel& kernel);

// A step in its network. `shapes` contains the shapes of all tensors by name, except of those like the step's result
// that the network does not compute (norm_logits).
struct StepThere {
    const Step& step;
    const NetworkConfig& config;
    const std::map<std::string, Shape>& shapes;
};

// The first computes what the fused network computes, to the bit. Empty if no kernel can compute the step's result from
// the same inputs. Also of the steps that are a norm's whole pass, "batchnorm forward" (bench/timed_steps.h).
StepKernels kernels_of(const StepThere& there);

}  // namespace byhand
