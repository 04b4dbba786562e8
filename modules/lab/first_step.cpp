#include "lab/first_step.h"

#include <algorithm>
#include <utility>

#include "harness/drawn.h"
#include "recipe/recipe.h"

namespace byhand::lab {

FirstStep first_step(const Recipe& recipe, const Material& material) {
    Run run = prepare(recipe, material.names, material.where);
    DrawnBatch batch(run.recipe.batch, run.recipe.network.context);
    draw_batch(batch, run.train, run.generator);
    Tensors<float> state = run.initial;
    const Tensors<float> drawn = drawn_state(run.recipe.network, run.recipe.seed);
    for (const TensorSpec& spec : parameters(run.recipe.network)) {
        if (spec.name.starts_with("bn")) {
            std::ranges::copy(drawn[spec.name], state[spec.name].begin());
        }
    }
    return {std::move(run), std::move(batch), std::move(state)};
}

}  // namespace byhand::lab
