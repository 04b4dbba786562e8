// The tensors of the fused step: their names and their layout. Matrices are stored in panels, vectors padded to whole
// panels.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/network.h"
#include "base/tensors.h"
#include "fast/simd/kernels.h"

namespace byhand {

// The names of the values and parameters of a norm; empty if its kind has none.
struct NormNames {
    std::string gain, bias, mean, var, inv, raw;
};

enum class FusedKind { linear, batch_norm, row_norm, activation, residual, dropout };

// An operation of a layer: its linear, or one after it.
struct FusedOperation {
    Operation operation;
    FusedKind kind = FusedKind::linear;
    // activation, or the tanh after a batch norm whose kernel computes both
    std::optional<simd::Activation> activation;
    // The input and output arrays, by the names of the values that remain in them: a value that is not needed after the
    // next one is computed shares that one's array. `reads` is empty for a linear.
    std::string reads, makes;
    NormNames norm;  // without γ and β, `raw` is the norm's result
};

// A layer: a linear, which may join positions of its input, and the operations after it. One gradient of (rows, H) is
// kept, that of the linear's result.
struct FusedPattern {
    Layer layer;
    std::size_t joined = 1;  // positions that the linear joins; in the first layer, characters
    std::vector<FusedOperation> operations;

    const std::string& linear() const { return operations.front().operation.output; }
    const std::string& result() const { return operations.back().makes; }
};

// The names of the network's operations that the fused step does not support. A new operation may only have steps; its
// network then runs step by step (models.h).
std::set<std::string> operations_without_fused_step(const NetworkConfig& config);
bool has_fused_step(const NetworkConfig& config);

// The layers in order. Precondition: has_fused_step(config).
std::vector<FusedPattern> fused_patterns(const NetworkConfig& config, Keep keep);

// Whether to compute the products of the first linear by character: with this many rows per character, over all
// positions of a batch of n, that saves more time than it costs.
bool pays_by_character(const NetworkConfig& config, std::size_t n);

// The tensors that a step keeps for these rows, in order of computation, with their shapes outside.
std::vector<TensorSpec> kept_names(const NetworkConfig& config, const BatchPart& rows, Keep wanted);

// The same tensors, with room for padding.
std::vector<TensorSpec> with_padding(std::vector<TensorSpec> table);

// Copies every tensor of `outside` into the panels of that name.
void put(Tensors<float>& panels, const Tensors<float>& outside);

// Copies every tensor of `table` from the panels of that name to the tensor named `prefix` + name.
void take(Tensors<float>& outside, const std::string& prefix, const Tensors<float>& panels,
          const std::vector<TensorSpec>& table);

}  // namespace byhand
