// What the fused step keeps, under which names, and how it lies: matrices in panels, vectors filled up to whole ones.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"
#include "manual/simd/activations.h"

namespace byhand {

// What is there after a run: all that Fused::kept() promises, or what the run itself needs. The rest takes time to
// write and room in the caches that training can do without; what is computed is the same.
enum class FusedKeep { all, needed };

// What the values and parameters of a norm are called; empty where its kind has none.
struct NormNames {
    std::string gain, bias, mean, var, inv, raw;
};

enum class FusedKind { linear, batch_norm, row_norm, activation, residual, dropout };

// An operation of a layer: its linear, or one behind it.
struct FusedOperation {
    Operation operation;
    FusedKind kind = FusedKind::linear;
    // Of an activation, and of a batch norm whose kernel makes the tanh behind it too.
    std::optional<simd::Activation> activation;
    // The arrays that it reads and makes, by the names of the values that stay in them: a value that nothing needs once
    // the next one is made lies in that one's array. `reads` is empty for a linear.
    std::string reads, makes;
    NormNames norm;  // `raw` without γ and β is the norm's result
};

// A layer: a linear, which may join the positions of what it reads, and what is behind it. One gradient of (rows, H) is
// kept, that of the linear's result.
struct FusedPattern {
    Layer layer;
    std::size_t joined = 1;  // positions that the linear joins: of the first, so many characters
    std::vector<FusedOperation> operations;

    const std::string& linear() const { return operations.front().operation.output; }
    const std::string& result() const { return operations.back().makes; }
};

// Whether the fused step knows each of the network's operations. A new one may begin with its steps only; then the
// network runs step by step (models.h).
bool has_fused_step(const NetworkConfig& config);

// The layers in order. Precondition: has_fused_step(config).
std::vector<FusedPattern> fused_patterns(const NetworkConfig& config, FusedKeep keep);

// Whether to take the first linear's products by character: with so many rows for each character, those of all
// positions of a batch of n, that takes less time than it adds.
bool pays_by_character(const NetworkConfig& config, std::size_t n);

// The tensors that a step on `n` rows keeps, in the order in which it makes them, in the shapes they have outside.
std::vector<TensorSpec> kept_names(const NetworkConfig& config, std::size_t n, FusedKeep wanted);

// The same tensors with room for their padding.
std::vector<TensorSpec> with_padding(std::vector<TensorSpec> table);

// Every tensor of `outside` into the panels of that name.
void put(Tensors<float>& panels, const Tensors<float>& outside);

// Every tensor of `table` out of the panels of that name, as `prefix` and that name.
void take(Tensors<float>& outside, const std::string& prefix, const Tensors<float>& panels,
          const std::vector<TensorSpec>& table);

}  // namespace byhand
