#include "train/trainer.h"

#include <cmath>
#include <utility>

namespace byhand {
namespace {

constexpr std::size_t kStepsBetweenLooks = 1000;

// The state of training when everything was last finite.
struct Waypoint {
    std::size_t step = 0;
    Tensors<float> state;
    TorchGenerator generator;
};

// Repeats the steps from `from` on and checks everything after each. `until`: the step after which something was not
// finite.
NotFinite find_not_finite(Trainable& model, Run& run, const Waypoint& from, std::size_t until) {
    model.load(from.state);
    run.generator = from.generator;
    NotFinite found{.step = from.step,
                    .name = "",
                    .state = from.state,
                    .batch = DrawnBatch(run.recipe.batch, run.recipe.network.context)};
    for (; true; ++found.step) {
        draw_batch(found.batch, run.train, run.generator);
        const float loss = model.train_step(found.batch.view(), static_cast<float>(rate_at(run.recipe, found.step)));
        Tensors<float> state = model.save();
        const TensorSpec* const spec = first_not_finite(state);
        if (!std::isfinite(loss) || spec != nullptr || found.step + 1 >= until) {
            found.name = std::isfinite(loss) && spec != nullptr ? spec->name : "loss";
            return found;
        }
        found.state = std::move(state);
    }
}

}  // namespace

TrainOutcome train(Trainable& model, Run& run, std::size_t first, std::size_t end, const TrainHooks& hooks) {
    DrawnBatch batch(run.recipe.batch, run.recipe.network.context);
    TrainOutcome outcome{.steps = first, .stopped = false, .not_finite = std::nullopt};
    Waypoint last{first, model.save(), run.generator};
    // Whether everything is finite; if so, this becomes the last such state.
    const auto look = [&] {
        Tensors<float> state = model.save();
        if (first_not_finite(state) != nullptr) {
            return false;
        }
        last = {outcome.steps, std::move(state), run.generator};
        return true;
    };
    bool all_finite = true;
    for (std::size_t step = first; all_finite && step < end; ++step) {
        if (hooks.stop()) {
            outcome.stopped = true;
            break;
        }
        draw_batch(batch, run.train, run.generator);
        const float loss = model.train_step(batch.view(), static_cast<float>(rate_at(run.recipe, step)));
        ++outcome.steps;
        hooks.after_step(step, loss);
        const bool checkpoint_due =
            hooks.checkpoint_every > 0 && outcome.steps % hooks.checkpoint_every == 0 && outcome.steps < end;
        const bool look_due = checkpoint_due || outcome.steps - last.step >= kStepsBetweenLooks;
        all_finite = std::isfinite(loss) && (!look_due || look());
        if (all_finite && checkpoint_due) {
            hooks.checkpoint(outcome.steps);
        }
    }
    if (!all_finite || (outcome.steps > last.step && !look())) {
        outcome.not_finite = find_not_finite(model, run, last, outcome.steps);
        outcome.steps = outcome.not_finite->step + 1;
    }
    return outcome;
}

}  // namespace byhand
