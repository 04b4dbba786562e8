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
namespace {

std::uint64_t hash_of_examples(const Examples& examples) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(examples.X));
    return hash_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace

RankPlan plan_for(const Run& run, const distributed::World& world, const std::string& mistake) {
    RankPlan plan = rank_plan(run.recipe.network, run.recipe.batch, run.recipe.parts, world.rank, world.size);
    if (mistake.empty()) {
        return plan;
    }
    const Mistake* const planted = find_mistake(mistake);
    if (planted == nullptr) {
        throw InputError("no mistake is called " + mistake + "; byhand mistakes lists them");
    }
    if (planted->plant_in_rank == nullptr) {
        throw InputError("the mistake " + mistake + " is none of several ranks; leave out --ranks and --parts");
    }
    if (planted->plant_in_rank(plan).empty()) {
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
                               {"file of names", hash_of_examples(run.train)},
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
