#include "compare/compare.h"

#include <utility>

namespace byhand {
namespace {

// Of a table that is one screen, the first step that disagrees is shown, or else the last.
void keep(std::vector<ComparedStep>& steps, const ComparedStep& step, const Summary& summary, bool every_step) {
    if (every_step) {
        steps.push_back(step);
    } else if (steps.empty() || !disagrees(steps.front(), summary.allowed)) {
        steps = {step};
    }
}

}  // namespace

Comparison compare(Run& run, const torch_ref::Factory& torch, const std::function<Candidates(Reference&)>& candidates,
                   const ComparisonConfig& how) {
    const Recipe& recipe = run.recipe;
    const NetworkConfig& network = recipe.network;
    // What is right: every value by LibTorch in double and in float, each operation by itself, and how far rounding may
    // carry a value.
    auto reference = std::make_unique<Reference>(
        reference_of(torch, network, recipe.batch, recipe.seed, how.quick, how.schedule.mistakes));
    // What is judged: networks as lists of steps, with the right steps to hold each of theirs to.
    Candidates judged = candidates(*reference);
    Comparison all{.summary = {},
                   .steps = {},
                   .reference = std::move(reference),
                   .candidates = std::move(judged),
                   .batch = DrawnBatch(recipe.batch, network.context)};
    all.summary.allowed = how.allowed;
    Schedule schedule = how.schedule;
    schedule.batch = [&](std::size_t step) {
        if (how.begins) {
            how.begins(step);
        }
        draw_batch(all.batch, run.train, run.generator);
        return all.batch.view();
    };
    schedule.rate = [&](std::size_t step) { return static_cast<float>(rate_at(recipe, step)); };
    // Both run each training step. Every value is compared end to end and every step in isolation; root causes are
    // distinguished from the values that inherit their errors.
    run_comparison(network, run.initial, schedule, all.candidates, all.reference->implementations, all.reference->chain,
                   [&](const ComparedStep& step) {
                       add(all.summary, step);
                       keep(all.steps, step, all.summary, how.keeps_every_step);
                       if (how.compared) {
                           how.compared(step, all);
                       }
                   });
    return all;
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): the result owns the reference

Candidates hand_candidates(const std::vector<std::string>& models, const Reference& reference, MakeCandidate fused) {
    Candidates candidates;
    candidates.reserve(models.size());
    for (const std::string& model : models) {
        candidates.push_back(model == "fused" ? fused(reference) : candidate_of(model, reference));
    }
    return candidates;
}

}  // namespace byhand
