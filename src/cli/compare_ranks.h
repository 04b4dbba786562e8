// byhand compare on several ranks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "cli/ranks.h"
#include "ranks/ranks.h"
#include "ranks/world.h"
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

// The networks of these names in parts on this rank, and last, `module`, LibTorch's in the same parts. The
// run and `group` must outlive them. Throws InputError if the fused step does not support an operation.
std::vector<InRanks> in_ranks(const std::vector<std::string>& models, const RankPlan& stepwise,
                              std::unique_ptr<Implementation> module, const Run& run, Group& group);

// Takes part in the comparison of rank 0 until it ends.
void follow_first(const std::vector<InRanks>& all, Group& group, Run& run);

}  // namespace byhand::cli
