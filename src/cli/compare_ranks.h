// byhand compare on several ranks.
#pragma once

#include <memory>
#include <string>

#include "base/group.h"
#include "candidates/ranks.h"
#include "cli/ranks.h"
#include "distributed/world.h"
#include "train/run.h"

namespace byhand::cli {

// Throws InputError if there is none.
const Mistake& mistake_named(const std::string& name);

// The plan of this rank, with that mistake planted in it unless the name is empty. Throws InputError if there is no
// such mistake, or if it is none of data parallelism. The run must outlive it.
RankPlan plan_for(const Run& run, const distributed::World& world, const std::string& mistake);

// Connects the ranks, which must have the same run; `how` is what else they must have alike. Throws InputError as
// distributed::connect does, and if a rank has another run.
std::unique_ptr<Group> meet(const Run& run, const distributed::World& world, std::size_t timeout,
                            const std::string& how);

// Takes part in the comparison of rank 0 until it ends.
void follow_first(const RankPlan& plan, Group& group, Run& run);

}  // namespace byhand::cli
