#include "bench/step.h"

#include <algorithm>
#include <cmath>

#include "base/batch_norm_1d.h"
#include "bench/training.h"
#include "judge/finding.h"
#include "manual/models.h"

namespace byhand::bench {
namespace {

// The largest difference of the losses over the next ten steps, relative to those above 1; NaN if a loss is NaN.
double losses_apart(Training& ours, Training& theirs) {
    constexpr std::size_t kSteps = 10;
    double largest = 0;
    for (std::size_t i = 0; i < kSteps; ++i) {
        ours.go_on(1);
        theirs.go_on(1);
        const auto our_loss = static_cast<double>(ours.loss), their_loss = static_cast<double>(theirs.loss);
        largest = larger(largest, std::abs(our_loss - their_loss) / std::max(1.0, their_loss));
    }
    return largest;
}

StepTimes ours_alone(Training& ours, std::size_t rounds, std::size_t threads) {
    return {in_turn([&](std::size_t steps) { ours.go_on(steps); }, nullptr, rounds, threads), std::nullopt};
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

StepTimes step_times(const Run& run, const torch_ref::Factory* torch, std::size_t threads, std::size_t rounds) {
    const NetworkConfig& network = run.recipe.network;
    const std::unique_ptr<Model> our_model = make_ours(network, run.recipe.batch, threads);
    Training ours(run, *our_model);
    if (torch == nullptr) {
        return ours_alone(ours, rounds, threads);
    }
    const std::unique_ptr<Model> their_model = torch->module_model(network, run.recipe.batch);
    Training theirs(run, *their_model);
    Losses losses;
    losses.apart = losses_apart(ours, theirs);
    const Rounds timed = in_turn([&](std::size_t steps) { ours.go_on(steps); },
                                 [&](std::size_t steps) { theirs.go_on(steps); }, rounds, threads);
    losses.ours = static_cast<double>(ours.loss);
    losses.torch = static_cast<double>(theirs.loss);
    our_model->load(their_model->save());
    losses.apart = larger(losses.apart, losses_apart(ours, theirs));
    return {timed, losses};
}

}  // namespace byhand::bench
