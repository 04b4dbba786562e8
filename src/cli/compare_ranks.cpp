#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "byhand/version.h"
#include "cli/by_name.h"
#include "cli/compare_parts.h"
#include "names/dataset.h"
#include "ranks/agreement.h"
#include "ranks/connect.h"

namespace byhand::cli {

RankPlan plan_for(const Run& run, const distributed::World& world, const std::string& mistake) {
    RankPlan plan =
        rank_plan(HandForm::stepwise, run.recipe.network, run.recipe.batch, run.recipe.parts, world.rank, world.size);
    if (mistake.empty()) {
        return plan;
    }
    const Mistake& planted = mistake_named(mistake);
    if (planted.plant_in_rank == nullptr) {
        throw InputError("the mistake " + mistake + " is none of several ranks; leave out --ranks and --parts");
    }
    if (planted.plant_in_rank(plan).empty()) {
        throw InputError(fmt::format("the mistake {} does not apply to the recipe {} in {} parts on {} ranks", mistake,
                                     run.recipe.name, run.recipe.parts, world.size));
    }
    return plan;
}

namespace {

std::unique_ptr<Group> meet(const Run& run, const distributed::World& world, std::size_t timeout,
                            const std::string& how) {
    std::unique_ptr<Group> group = distributed::connect(world, timeout);
    std::vector<distributed::Fact> facts = {{"version of byhand", hash_of(kVersion)},
                                            {"recipe", hash_of(to_json(run.recipe))},
                                            {"file of names", hash_of_bytes(std::as_bytes(std::span(run.train.text)))},
                                            {"planted mistake", hash_of(how)}};
    std::ranges::move(distributed::facts_of(run.initial), std::back_inserter(facts));
    distributed::check_agreement(*group, facts);
    return group;
}

std::vector<InRanks> in_ranks(const std::vector<std::string>& models, const RankPlan& stepwise,
                              std::unique_ptr<Model> module, const Run& run, Group& group) {
    const NetworkConfig& network = run.recipe.network;
    const std::size_t rows = run.recipe.batch, parts = run.recipe.parts;
    std::vector<InRanks> all;
    for (const std::string& model : models) {
        if (model == "fused") {
            all.push_back(fused_in_ranks(network, rows, parts, group));
        } else if (model == "collapsed") {
            all.push_back(graph_in_ranks(
                rank_plan(HandForm::collapsed, network, rows, parts, group.rank(), group.size()), network, group));
        } else {
            all.push_back(graph_in_ranks(stepwise, network, group));
        }
    }
    all.push_back(module_in_ranks(std::move(module), network, rows, parts, group));
    return all;
}

}  // namespace

ModelsInRanks models_in_ranks(const std::vector<std::string>& models, const std::string& mistake, const Run& run,
                              const distributed::World& world, std::size_t timeout, const torch_ref::Factory& torch) {
    const RankPlan plan = plan_for(run, world, mistake);
    ModelsInRanks parts{meet(run, world, timeout, mistake), {}, {}};
    const Recipe& recipe = run.recipe;
    parts.models = in_ranks(
        models, plan, torch.module_model(recipe.network, recipe.batch, Keep::all, {recipe.parts, parts.group.get()}),
        run, *parts.group);
    return parts;
}

Candidates candidates_in_ranks(ModelsInRanks& parts, Reference& reference) {
    const auto leader = std::make_shared<Leader>(*parts.group);
    Candidates candidates;
    for (std::size_t number = 0; number < parts.models.size(); ++number) {
        auto ranks = std::make_unique<Ranks>(std::move(parts.models[number]), number, leader);
        if (number + 1 == parts.models.size()) {
            reference.implementations.module = std::move(ranks);
        } else {
            parts.ranks.push_back(ranks.get());
            candidates.push_back(candidate_in_ranks(std::move(ranks), reference));
        }
    }
    return candidates;
}

std::vector<RankSummary> summaries_of(const ModelsInRanks& parts) {
    std::vector<RankSummary> all;
    std::ranges::transform(parts.ranks, std::back_inserter(all), &Ranks::summary);
    return all;
}

void follow_first(const std::vector<InRanks>& all, Group& group, Run& run) {
    DrawnBatch batch(run.recipe.batch, run.recipe.network.context);
    follow(all, run.recipe.network, run.recipe.batch, group, [&](std::size_t) {
        draw_batch(batch, run.train, run.generator);
        return batch.view();
    });
}

}  // namespace byhand::cli
