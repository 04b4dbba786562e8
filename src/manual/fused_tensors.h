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

// A layer that the fused step knows: a linear, which may join the positions of what it reads, and behind it, each or
// neither of them, a norm and an activation in either order. Its arrays are called `linear`, `activated` (what the
// activation makes), `raw` (the normalised value) and `result` (what the layer hands on): by the same name where two
// are the same thing, empty where there is none. `read` is what the activation reads, where its backward wants that and
// no other array has it. The gradient kept is that of `linear`.
struct FusedPattern {
    Layer layer;
    std::size_t joined = 1;  // positions that the linear joins: of the first, so many characters
    NormConfig norm;         // its kind, and its place behind the linear: none without a norm
    std::optional<simd::Activation> activation;
    double negative_slope = 0;
    std::string linear, activated, raw, read, result;

    bool has_norm(NormKind kind) const { return norm.place != NormPlace::none && norm.kind == kind; }
    bool has_row_norm() const { return norm.place != NormPlace::none && norm.kind != NormKind::batch; }
    // The batch norm's kernel takes the tanh behind it along.
    bool is_tanh_joined() const {
        return has_norm(NormKind::batch) && norm.place == NormPlace::before && activation == simd::Activation::tanh;
    }
};

// What the values and parameters of a layer's norm are called; empty where its kind has none.
struct NormNames {
    std::string gain, bias, mean, var, inv, raw;
};
NormNames norm_names(const FusedPattern& pattern);

// Whether the network is made of such layers, and its optimizer is plain gradient descent. Else its operations run one
// by one (models.h).
bool has_fused_step(const NetworkConfig& config);

// Precondition: it is.
std::vector<FusedPattern> fused_patterns(const NetworkConfig& config);

// Whether to take the first linear's products by character: with so many rows for each character, those of all
// positions of a batch of n, that takes less time than it adds.
bool pays_by_character(const NetworkConfig& config, std::size_t n);

// Whether the normalised value takes the place of the linear's result: the backward pass wants the first alone.
bool normalised_in_place(const FusedPattern& pattern, FusedKeep keep);

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
