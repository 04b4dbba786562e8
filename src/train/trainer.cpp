#include "train/trainer.h"

#include <cmath>

#include "names/batches.h"

namespace byhand {

TrainOutcome train(Model& model, Run& run, std::size_t steps, const TrainHooks& hooks) {
    DrawnBatch batch(run.recipe.batch, run.recipe.network.context);
    TrainOutcome outcome;
    for (std::size_t step = 0; step < steps; ++step) {
        if (hooks.stop()) {
            outcome.stopped = true;
            break;
        }
        draw_batch(batch, run.train, run.generator);
        const float loss = model.train_step(batch.view(), static_cast<float>(rate_at(run.recipe, step)));
        ++outcome.steps;
        hooks.after_step(step, loss);
        if (!std::isfinite(loss)) {
            outcome.finite = false;
            break;
        }
    }
    return outcome;
}

}  // namespace byhand
