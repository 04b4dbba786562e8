#include "cli/compare_ranks.h"

#include <fmt/core.h>

#include <span>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "byhand/version.h"
#include "distributed/connect.h"
#include "harness/faults/mistakes.h"
#include "names/batches.h"

namespace byhand::cli {

const Mistake& mistake_named(const std::string& name) {
    const Mistake* const mistake = find_mistake(name);
    if (mistake == nullptr) {
        throw InputError("no mistake is called " + name + "; byhand mistakes lists them");
    }
    return *mistake;
}

RankPlan plan_for(const Run& run, const distributed::World& world, const std::string& mistake) {
    RankPlan plan = rank_plan(run.recipe.network, run.recipe.batch, run.recipe.parts, world.rank, world.size);
    if (mistake.empty()) {
        return plan;
    }
    const Mistake& planted = mistake_named(mistake);
    if (planted.plant_in_rank == nullptr) {
        throw InputError("the mistake " + mistake + " is none of several ranks; leave out --ranks and --parts");
    }
    if (planted.plant_in_rank(plan).empty()) {
        throw InputError(fmt::format("the mistake {} has no place in the recipe {} in {} parts on {} ranks", mistake,
                                     run.recipe.name, run.recipe.parts, world.size));
    }
    return plan;
}

std::unique_ptr<Group> meet(const Run& run, const distributed::World& world, std::size_t timeout,
                            const std::string& how) {
    std::unique_ptr<Group> group = distributed::connect(world, timeout);
    std::vector<Fact> facts = {{"version of byhand", hash_of(kVersion)},
                               {"recipe", hash_of(to_json(run.recipe))},
                               {"file of names", hash_of_bytes(std::as_bytes(std::span(run.train.X)))},
                               {"planted mistake", hash_of(how)}};
    for (Fact& fact : facts_of(run.initial)) {
        facts.push_back(std::move(fact));
    }
    check_agreement(*group, facts);
    return group;
}

void follow_first(const RankPlan& plan, Group& group, Run& run) {
    DrawnBatch batch(run.recipe.batch, run.recipe.network.context);
    follow(plan, group, [&](std::size_t) {
        draw_batch(batch, run.train, run.generator);
        return batch.view();
    });
}

}  // namespace byhand::cli
