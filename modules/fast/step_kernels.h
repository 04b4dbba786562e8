// The kernels of simd/ that compute the same as a step, called on the step's inputs, which are first copied into panels
// and whole cache lines.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/network.h"
#include "steps/step.h"

namespace byhand {

using Kernels = std::vector<Function<float>>;  // "simd::tanh_forward"

// A step in its network. `shapes` contains the shapes of all tensors by name.
struct StepThere {
    const Step& step;
    const NetworkConfig& config;
    const std::map<std::string, Shape>& shapes;

    const Shape& read(std::size_t position) const { return shapes.at(step.reads[position]); }
};

// The first computes what the fused network computes, to the bit; it may be the step's own function. Empty if no kernel
// can compute the step's result from the same inputs.
Kernels kernels_of(const StepThere& there);

// Factories of kernels, by the name of the step's function.
using MakeKernels = std::map<std::string, Kernels (*)(const StepThere&)>;

// The kernels of norms, including those joined with a non-linearity.
const MakeKernels& norm_kernels();

}  // namespace byhand
