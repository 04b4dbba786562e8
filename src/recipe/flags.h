// Changes of a recipe that a command line can ask for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "recipe/recipe.h"

namespace byhand {

// What is absent leaves the recipe as it is.
struct NetworkFlags {
    std::optional<std::size_t> embedding, context, batch;
    std::optional<std::vector<std::size_t>> hidden;  // widths
    std::optional<std::uint64_t> seed, split_seed;
    std::optional<std::string> activation;
    std::optional<std::string> norm;         // "before", "after", "none"
    std::optional<std::string> norm_kind;    // "batch", "layer", "rms", "none"
    std::optional<std::string> bn_variance;  // "biased", "unbiased"
    std::optional<std::string> optimizer;    // "sgd", "momentum", "nesterov", "adamw"
    std::optional<double> bn_eps, weight_decay, rate;
    bool residual = false, tied = false;
};

// Throws InputError, naming the flag, if flags contradict each other or the recipe, which may list its layers.
Recipe with_flags(Recipe recipe, const NetworkFlags& flags);

}  // namespace byhand
