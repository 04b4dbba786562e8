// A whole training step, by hand beside LibTorch's module.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "base/model.h"
#include "bench/rounds.h"
#include "torch_ref/torch_ref.h"
#include "train/run.h"

namespace byhand::bench {

// The network by hand that is measured: the fused one.
std::unique_ptr<Model> make_ours(const NetworkConfig& config, std::size_t rows, std::size_t threads);

// The recipe with the norm of torch::nn::BatchNorm1d, so that LibTorch can use its own; the same where it has that
// already, or no norm.
Recipe with_batch_norm_1d(Recipe recipe);

// Both sides' losses, of the same batches.
struct Losses {
    double ours = 0, torch = 0;  // of the last batch that was timed: after thousands of steps float has drifted apart
    // The largest difference over ten steps from the same state, the initial one and the one that LibTorch ended with;
    // relative to a loss above 1.
    double apart = 0;
};
// Further apart than this is not rounding: in ten steps that comes to a few 1e-7.
inline constexpr double kApart = 1e-4;
// Whether both sides computed the same. Two or three rows may be all alike, and then the norm divides rounding by
// rounding: of so small batches only what is not finite is told.
bool agree(const Losses& losses, std::size_t rows);

struct StepTimes {
    Rounds rounds;
    std::optional<Losses> losses;  // where there are two sides
};

// Times both sides' steps, each of them the whole of one: batch drawn, forward, loss, backward, update, running
// figures. Both begin with the run's initial state and draw the same batches. Without `torch` ours alone.
StepTimes step_times(const Run& run, const torch_ref::Factory* torch, std::size_t threads, std::size_t rounds);

}  // namespace byhand::bench
