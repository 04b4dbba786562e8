// The fused network as steps, so that each of its kernels and formulas can be run alone. Its first linear stands here
// like any other: one context after another, not by character (manual/fused.h).
#pragma once

#include "steps/step.h"

namespace byhand {

// Its formulas (fused_network), and exp; of float each by the kernel of simd/ that computes it there, if one does. T is
// float, double or Rounded. Throws InputError where check_network does.
template <class T>
StepNetwork<T> fused_pieces(const NetworkConfig& config, std::size_t rows);

// The pieces of float that a kernel computes, once for each kind of vectors that the CPU has: several steps make each
// name. Their function names end with it: "simd::tanh_forward (AVX2)".
StepNetwork<float> fused_pieces_on_all_targets(const NetworkConfig& config, std::size_t rows);

// The same, but each step of the forward and backward pass by the kernel of simd/ that is its twin, if there is one.
StepNetwork<float> with_kernels(StepNetwork<float> network);

}  // namespace byhand
