// The network in evaluation mode, by hand: logits by the running statistics, and figures over a whole data set.
#pragma once

#include <cstdint>
#include <span>

#include "base/tensors.h"
#include "steps/runner.h"

namespace byhand {

class Evaluation {
public:
    // With formulas alone, or with kernels in the place of those that have one.
    enum class By { formulas, kernels };

    Evaluation(const NetworkConfig& config, By by);

    // The state: a table equal to state(config).
    void load(const Tensors<float>& state) { copy_into(runner_.tensors(), state); }

    // Logits (rows, V) of X (rows, T), any number of rows, a chunk at a time.
    void logits(std::span<float> out, std::span<const std::int64_t> X);

    // Puts mean and spread over all rows of X into the running statistics, layer after layer (each layer's input
    // depends on the figures of those before it). Sums in double, in two passes. Precondition: more than one row.
    void calibrate(std::span<const std::int64_t> X);

    // The running statistics as they stand now; `state` has them by name.
    void save_running_figures(Tensors<float>& state) const;

private:
    // Calls visit(chunk's rows) after evaluating every chunk of X as far as `last`.
    template <class Visit>
    void for_each_chunk(std::span<const std::int64_t> X, const std::string& last, Visit visit);

    Runner<float> runner_;
};

}  // namespace byhand
