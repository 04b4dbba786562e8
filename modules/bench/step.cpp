#include "bench/step.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <memory>

#include "base/network.h"
#include "fast/fused_tensors.h"
#include "fast/models.h"
#include "judge/finding.h"

namespace byhand::bench {
namespace {

// After so many steps the losses are compared.
constexpr std::size_t kSteps = 10;

// Relative to a loss above 1.
double difference(float ours, float theirs) {
    const auto our_loss = static_cast<double>(ours), their_loss = static_cast<double>(theirs);
    return std::abs(our_loss - their_loss) / std::max(1.0, their_loss);
}

// The largest difference of the losses over the next ten steps; NaN if a loss is NaN.
double losses_apart(Training& ours, Training& theirs) {
    double largest = 0;
    for (std::size_t i = 0; i < kSteps; ++i) {
        ours.go_on(1);
        theirs.go_on(1);
        largest = larger(largest, difference(ours.loss, theirs.loss));
    }
    return largest;
}

Steps steps_of(Training& training) {
    return [&training](std::size_t steps) { training.go_on(steps); };
}

}  // namespace

Recipe with_batch_norm_1d(Recipe recipe) {
    NormConfig& norm = recipe.network.norm;
    if (!running_figures(recipe.network).empty() && !is_batch_norm_1d(norm)) {
        norm = as_batch_norm_1d(norm);
    }
    return recipe;
}

bool agree(const Losses& losses, std::size_t rows) {
    constexpr std::size_t kFew = 3;
    return rows <= kFew ? std::isfinite(losses.apart) : losses.apart <= kApart;
}

StepTimes step_times(const Run& run, const torch_ref::Factory* torch, std::size_t threads, std::size_t rounds,
                     std::span<const peers::Peer> peers) {
    const NetworkConfig& network = run.recipe.network;
    const std::size_t rows = run.recipe.batch;
    const auto our_model = make_hand_model(HandForm::fused, network, rows, {.threads = threads});
    Training ours(run, *our_model);
    StepTimes times;
    std::deque<std::unique_ptr<Trainable>> models;  // byhand's step on the libraries' products
    std::deque<Training> others;
    std::vector<Steps> other_steps;
    for (const peers::Peer& peer : peers) {
        if (peer.products && has_fused_step(network)) {
            times.peers.push_back({peer.name});
            models.push_back(make_hand_model(HandForm::fused, network, rows, {.products = &*peer.products}));
            Training& other = others.emplace_back(run, *models.back());
            other.go_on(kSteps);
            other_steps.push_back(steps_of(other));
        }
    }
    std::unique_ptr<Trainable> their_model;
    std::optional<Training> theirs;
    if (torch != nullptr) {
        their_model = torch->module_model(network, rows, Keep::needed, {});
        theirs.emplace(run, *their_model);
        times.losses.emplace().apart = losses_apart(ours, *theirs);
    } else {
        ours.go_on(kSteps);
    }
    for (std::size_t i = 0; i < others.size(); ++i) {
        times.peers[i].apart = difference(others[i].loss, ours.loss);
    }
    times.rounds = in_turn(steps_of(ours), theirs ? steps_of(*theirs) : nullptr, rounds, threads, other_steps);
    add_times(times.peers, times.rounds);
    if (theirs) {
        Losses& losses = *times.losses;
        losses.ours = static_cast<double>(ours.loss);
        losses.torch = static_cast<double>(theirs->loss);
        our_model->load(their_model->save());
        losses.apart = larger(losses.apart, losses_apart(ours, *theirs));
    }
    return times;
}

}  // namespace byhand::bench
