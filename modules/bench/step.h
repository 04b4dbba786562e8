// A whole training step, handwritten and in LibTorch's module.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "base/model.h"
#include "bench/peers/peers.h"
#include "bench/rounds.h"
#include "names/dataset.h"
#include "torch_ref/torch_ref.h"
#include "train/run.h"

namespace byhand::bench {

// The recipe with the norm of torch::nn::BatchNorm1d, so that LibTorch can use its own layer; unchanged if it already
// has that norm, or none.
Recipe with_batch_norm_1d(Recipe recipe);

// The losses of both implementations, on the same batches.
struct Losses {
    double ours = 0, torch = 0;  // of the last timed batch: after thousands of steps rounding has made float diverge
    // The largest difference over ten steps from the same state, starting from the initial state and from LibTorch's
    // final state; relative to a loss above 1.
    double apart = 0;
};
// A larger difference is not due to rounding, which causes a few 1e-7 in ten steps.
inline constexpr double kApart = 1e-4;
// Whether both computed the same. Two or three rows may be all equal, and the norm then divides rounding errors by
// rounding errors: for such small batches only non-finite values are reported.
bool agree(const Losses& losses, std::size_t rows);

struct StepTimes {
    Rounds rounds;
    std::optional<Losses> losses;   // if there are two implementations
    std::vector<PeerResult> peers;  // apart: of the losses after ten steps, as in Losses
};

// Times whole steps of the fused network and of LibTorch's: batch drawn, forward, loss, backward, update, running
// statistics. Both start from the run's initial state and draw the same batches; so does byhand's step on the products
// of the peers, if the network has a fused step. Without `torch`, not LibTorch's.
StepTimes step_times(const Run& run, const torch_ref::Factory* torch, std::size_t threads, std::size_t rounds,
                     std::span<const peers::Peer> peers = {});

// ---- The training of one implementation while it is timed ----

struct Training {
    const Run& run;
    Trainable& model;
    TorchGenerator generator;
    DrawnBatch batch;
    std::size_t step = 0;
    float loss = 0;

    // From the run's initial state and its first batch on.
    Training(const Run& of, Trainable& by)
        : run(of), model(by), generator(of.generator), batch(of.recipe.batch, of.recipe.network.context) {
        model.load(run.initial);
    }

    void go_on(std::size_t steps) {
        for (const std::size_t end = step + steps; step < end; ++step) {
            draw_batch(batch, run.train, generator);
            loss = model.train_step(batch.view(), static_cast<float>(rate_at(run.recipe, step)));
        }
    }
};

}  // namespace byhand::bench
