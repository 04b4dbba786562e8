// byhand compare on several ranks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "cli/ranks.h"
#include "compare/candidates.h"
#include "harness/end_to_end/summary.h"
#include "ranks/ranks.h"
#include "ranks/world.h"
#include "torch_ref/torch_ref.h"
#include "train/run.h"

namespace byhand::cli {

// The plan of this rank, with that mistake planted in it unless the name is empty. Throws InputError if there is no
// such mistake, or if it is none of data parallelism. The run must outlive it.
RankPlan plan_for(const Run& run, const distributed::World& world, const std::string& mistake);

// Networks in parts on several ranks.
struct InParts {
    std::unique_ptr<Group> group;
    std::vector<InRanks> models;      // and LibTorch's module
    std::vector<const Ranks*> ranks;  // of the models, on rank 0
};

// Connects the ranks, which must have the same run and mistake: the networks of these names in parts on this rank, and
// last LibTorch's module in the same parts. The run must outlive it. Throws InputError as plan_for and
// distributed::connect do, if a rank has another run, and if the fused step does not support an operation.
InParts in_parts(const std::vector<std::string>& models, const std::string& mistake, const Run& run,
                 const distributed::World& world, std::size_t timeout, const torch_ref::Factory& torch);

// The candidates of rank 0; LibTorch's module in parts becomes the reference's.
std::vector<Candidate> candidates_in_ranks(InParts& parts, Reference& reference);

std::vector<RankSummary> summaries_of(const InParts& parts);

// Takes part in the comparison of rank 0 until it ends.
void follow_first(const std::vector<InRanks>& all, Group& group, Run& run);

}  // namespace byhand::cli
