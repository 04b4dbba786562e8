#include "lab/first_step.h"

#include <algorithm>
#include <utility>

#include "compare/compare.h"
#include "fast/candidate.h"
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

Held hold_against_torch(const torch_ref::Factory& torch, const FirstStep& first,
                        const std::vector<std::string>& models) {
    const Recipe& recipe = first.run.recipe;
    Reference reference = reference_of(torch, recipe.network, recipe.batch, recipe.seed);
    Candidates candidates = hand_candidates(models, reference, fused_candidate);
    const Schedule schedule{.batch = [&](std::size_t) { return first.batch.view(); },
                            .rate = [&](std::size_t step) { return static_cast<float>(rate_at(recipe, step)); }};
    Held held;
    run_comparison(recipe.network, first.state, schedule, candidates, reference.implementations, reference.chain,
                   [&](const ComparedStep& step) {
                       add(held.summary, step);
                       held.step = step;
                   });
    return held;
}

}  // namespace byhand::lab
