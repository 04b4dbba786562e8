#include "cli/compare_ranks.h"

#include <fmt/core.h>

#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "base/nearest.h"
#include "byhand/version.h"
#include "checks/faults/mistakes.h"
#include "cli/value_names.h"
#include "names/dataset.h"
#include "ranks/connect.h"

namespace byhand::cli {

const Mistake& mistake_named(const std::string& name) {
    const Mistake* const mistake = find_mistake(name);
    if (mistake == nullptr) {
        throw InputError("there is no mistake " + name + the_nearest(name, mistake_names()) +
                         " (byhand mistakes lists them)");
    }
    return *mistake;
}

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

std::unique_ptr<Group> meet(const Run& run, const distributed::World& world, std::size_t timeout,
                            const std::string& how) {
    std::unique_ptr<Group> group = distributed::connect(world, timeout);
    std::vector<Fact> facts = {{"version of byhand", hash_of(kVersion)},
                               {"recipe", hash_of(to_json(run.recipe))},
                               {"file of names", hash_of_bytes(std::as_bytes(std::span(run.train.text)))},
                               {"planted mistake", hash_of(how)}};
    for (Fact& fact : facts_of(run.initial)) {
        facts.push_back(std::move(fact));
    }
    check_agreement(*group, facts);
    return group;
}

std::vector<InRanks> in_ranks(const std::vector<std::string>& models, const RankPlan& stepwise,
                              std::unique_ptr<Implementation> module, const Run& run, Group& group) {
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

void follow_first(const std::vector<InRanks>& all, Group& group, Run& run) {
    DrawnBatch batch(run.recipe.batch, run.recipe.network.context);
    follow(all, run.recipe.network, run.recipe.batch, group, [&](std::size_t) {
        draw_batch(batch, run.train, run.generator);
        return batch.view();
    });
}

}  // namespace byhand::cli
