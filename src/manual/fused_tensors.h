// What the fused step keeps, under which names, and how it lies: matrices in panels, vectors filled up to whole ones.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"

namespace byhand {

// What is there after a run: all that Fused::kept() promises, or what the run itself needs. The rest takes time to
// write and room in the caches that training can do without; what is computed is the same.
enum class FusedKeep { all, needed };

// What a layer's arrays are called: the linear's result, the non-linearity's, the normalised value, what the layer
// hands on; where two are the same thing, by the same name. The gradient kept is that of the linear's result.
struct FusedNames {
    std::string linear, tanh, raw, result;
};
FusedNames fused_names(const Layer& layer, bool affine);

// Whether to take the first linear's products by character: with so many contexts for each character that takes less
// time than it adds. `n`: rows of a batch.
bool pays_by_character(const NetworkConfig& config, std::size_t n);

// Whether the normalised value takes the place of the linear's result: the backward pass wants the first alone.
bool normalised_in_place(const Layer& layer, FusedKeep keep);

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
