// The fused network as steps, so that each of its kernels and formulas can be run alone. Its first linear stands here
// like any other: one row after another; what goes by character (manual/fused.h) is judged as a further kernel of
// the embedding's steps.
//
// Some steps have no kernel: those that copy (embcat, demb, what a flatten joins, a residual's gradients), the running
// statistics, a dropout's mask, and what a kernel makes of more than the step reads: an optimizer's steps but plain
// descent, all of a norm's forward pass but the sums (of a batch norm the mean's alone), and with γ the gradient of its
// input. There tests/manual/kernels_norm_test.cpp and fused_patterns_test.cpp hold the kernels against the formulas, to
// the bit.
#pragma once

#include "steps/step.h"

namespace byhand {

// Its formulas: fused_graph, and exp. Throws InputError where check_network does.
Graph fused_formulas(const NetworkConfig& config, std::size_t rows);

// The same, in float by the first kernel of each step (manual/step_kernels.h) that has one.
Graph fused_pieces(const NetworkConfig& config, std::size_t rows);

// The same with each step by all of its kernels, and each of these on every kind of vectors that the CPU has: several
// steps make one name, of which the first alone has the function in double. Their functions' names end with the
// vectors: "simd::tanh_forward (AVX2)".
Graph fused_pieces_on_all_targets(const NetworkConfig& config, std::size_t rows);

// `graph` with each step in float by the first of its kernels, if it has one.
Graph with_kernels(Graph graph);

}  // namespace byhand
