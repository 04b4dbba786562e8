// The fused network as steps, so that each of its kernels and formulas can be checked in isolation. Its first linear is
// computed row by row here; the products by character (fused.h) are checked as an additional kernel of the
// embedding's steps.
//
// Some steps have no kernel: copies (embcat, demb, a flatten, a residual's gradients), the running statistics, a
// dropout's mask, and results of kernels that depend on more than the step reads: an optimizer's steps except plain
// descent, a norm's whole forward pass except its sums (in a batch norm, except the mean's), and with γ the gradient of
// its input. For these, modules/fast/tests/kernels_norm_test.cpp and fused_patterns_test.cpp compare the kernels with
// the formulas bit by bit.
#pragma once

#include "base/model.h"
#include "steps/step.h"

namespace byhand {

// The formulas: fused_graph, and exp. Throws InputError where check_network does.
Graph fused_formulas(const NetworkConfig& config, std::size_t rows);

// The same, in float with the first kernel of each step (step_kernels.h) that has one.
Graph fused_pieces(const NetworkConfig& config, std::size_t rows);

// The same with every kernel of each step, each on every vector type of the CPU: several steps compute a value of the
// same name, and only the first has the function in double. The names of their functions end with the vector type:
// "simd::tanh_forward (AVX2)".
Graph fused_pieces_on_all_targets(const NetworkConfig& config, std::size_t rows);

// `graph` with each step in float replaced by its first kernel, if it has one.
Graph with_kernels(Graph graph);

// The same for a part of a batch: without the kernels that divide by the batch's rows, since they take the part for the
// whole.
Graph with_kernels_of_part(Graph graph, const BatchPart& part);

}  // namespace byhand
