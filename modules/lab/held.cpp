#include "lab/held.h"

#include "compare/candidates.h"
#include "recipe/recipe.h"

namespace byhand::lab {

Held hold_against_torch(const torch_ref::Factory& torch, const FirstStep& first,
                        const std::vector<std::string>& models) {
    const Recipe& recipe = first.run.recipe;
    Reference reference = reference_of(torch, recipe.network, recipe.batch, recipe.seed);
    std::vector<Candidate> candidates;
    candidates.reserve(models.size());
    for (const std::string& model : models) {
        candidates.push_back(candidate_of(model, recipe.network, recipe.batch, reference));
    }
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
