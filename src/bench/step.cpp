#include "bench/step.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "base/batch_norm_1d.h"
#include "base/error.h"
#include "bench/training.h"
#include "judge/finding.h"
#include "manual/fused_tensors.h"
#include "manual/models.h"

namespace byhand::bench {
namespace {

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

// The network with a library's products, or a library's network.
struct PeerTraining {
    std::unique_ptr<Model> model;
    Training training;

    PeerTraining(const Run& run, std::unique_ptr<Model> by) : model(std::move(by)), training(run, *model) {}
};

OtherTraining training_of(const Run& run, const std::string& name, std::unique_ptr<Model> model) {
    const auto peer = std::make_shared<PeerTraining>(run, std::move(model));
    return {name, [peer](std::size_t steps) { peer->training.go_on(steps); }, [peer] { return peer->training.loss; }};
}

// Those of the peers that can train the network; the others are left out.
std::vector<OtherTraining> trainings_of(std::span<const peers::Peer> peers, const Run& run,
                                        std::vector<LeftOut>& left_out) {
    const NetworkConfig& network = run.recipe.network;
    std::vector<OtherTraining> all;
    for (const peers::Peer& peer : peers) {
        if (peer.model) {
            try {
                all.push_back(training_of(run, peer.name, peer.model(network, run.recipe.batch)));
            } catch (const InputError& error) {
                left_out.push_back({peer.name, error.what()});
            }
        } else if (peer.products && has_fused_step(network)) {
            all.push_back(training_of(run, peer.name, make_fused_model(network, run.recipe.batch, *peer.products)));
        }
    }
    return all;
}

}  // namespace

std::unique_ptr<Model> make_ours(const NetworkConfig& config, std::size_t rows, std::size_t threads) {
    return make_hand_model(HandForm::fused, config, rows, threads);
}

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
                     std::span<const peers::Peer> peers, std::vector<OtherTraining> others) {
    const NetworkConfig& network = run.recipe.network;
    const std::unique_ptr<Model> our_model = make_ours(network, run.recipe.batch, threads);
    Training ours(run, *our_model);
    StepTimes times;
    std::vector<OtherTraining> all = trainings_of(peers, run, times.left_out);
    std::ranges::move(others, std::back_inserter(all));
    std::vector<Steps> other_steps;
    for (const OtherTraining& other : all) {
        times.peers.push_back({other.name});
        other.go_on(kSteps);
        other_steps.push_back(other.go_on);
    }
    const auto compare_others = [&] {
        for (std::size_t i = 0; i < all.size(); ++i) {
            times.peers[i].apart = difference(all[i].loss(), ours.loss);
        }
    };
    if (torch == nullptr) {
        ours.go_on(kSteps);
        compare_others();
        times.rounds = in_turn(steps_of(ours), nullptr, rounds, threads, other_steps);
        add_times(times.peers, times.rounds);
        return times;
    }
    const std::unique_ptr<Model> their_model = torch->module_model(network, run.recipe.batch);
    Training theirs(run, *their_model);
    Losses losses;
    losses.apart = losses_apart(ours, theirs);
    compare_others();
    times.rounds = in_turn(steps_of(ours), steps_of(theirs), rounds, threads, other_steps);
    add_times(times.peers, times.rounds);
    losses.ours = static_cast<double>(ours.loss);
    losses.torch = static_cast<double>(theirs.loss);
    our_model->load(their_model->save());
    losses.apart = larger(losses.apart, losses_apart(ours, theirs));
    times.losses = losses;
    return times;
}

}  // namespace byhand::bench
