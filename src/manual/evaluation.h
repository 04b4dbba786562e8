// The handwritten network in evaluation mode: logits with the running statistics, and statistics over a whole data set.
#pragma once

#include <cstdint>
#include <span>

#include "base/tensors.h"
#include "steps/runner.h"

namespace byhand {

// Puts others in the place of steps that compute the same, such as kernels (modules/fast).
using ReplaceSteps = Graph (*)(Graph formulas);

class Evaluation {
public:
    // By the formulas, or by what takes their place.
    explicit Evaluation(const NetworkConfig& config, ReplaceSteps replace = nullptr);

    // A table equal to state(config).
    void load(const Tensors<float>& state) { copy_into(runner_.tensors(), state); }

    // Logits (rows, V) of X (rows, T), for any number of rows, in chunks.
    void logits(std::span<float> out, std::span<const std::int64_t> X);

    // Sets the running statistics to mean and variance over all rows of X, layer after layer, because each layer's
    // input depends on the statistics of the earlier ones. Sums in double, in two passes. Precondition: more than one
    // row.
    void calibrate(std::span<const std::int64_t> X);

    // The current running statistics; `state` contains them by name.
    void save_running_figures(Tensors<float>& state) const;

private:
    // Calls visit(rows of the chunk) after evaluating each chunk of X up to `last`.
    template <class Visit>
    void for_each_chunk(std::span<const std::int64_t> X, const std::string& last, Visit visit);

    Runner<float> runner_;
};

}  // namespace byhand
