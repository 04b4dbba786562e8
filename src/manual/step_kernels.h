// The kernels of simd/ that do what a step does, called on what the step reads: its numbers are put into panels and
// whole cache lines first.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/network.h"
#include "steps/step.h"

namespace byhand {

using Kernels = std::vector<Function<float>>;  // "simd::tanh_forward"

// A step in its network. `shapes` are those of all tensors by name.
struct StepThere {
    const Step& step;
    const NetworkConfig& config;
    const std::map<std::string, Shape>& shapes;

    const Shape& read(std::size_t position) const { return shapes.at(step.reads[position]); }
};

// The first makes what the fused network makes, to the bit; it may be the step's own function. Empty where no kernel
// can make what the step makes of the same reads.
Kernels kernels_of(const StepThere& there);

// What makes them, by the name of the step's function.
using MakeKernels = std::map<std::string, Kernels (*)(const StepThere&)>;

// The part of them that is a norm's; that goes for a non-linearity joined to it too.
const MakeKernels& norm_kernels();

}  // namespace byhand
