// The parts of byhand compare: several ranks, external values and planted mistakes, and the file that it writes.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "checks/external/external.h"
#include "cli/ranks.h"
#include "compare/candidates.h"
#include "harness/end_to_end/comparison.h"
#include "harness/end_to_end/summary.h"
#include "names/dataset.h"
#include "ranks/ranks.h"
#include "torch_ref/torch_ref.h"
#include "train/run.h"

namespace byhand::cli {

// The plan of this rank, with that mistake planted in it unless the name is empty. Throws InputError if there is no
// such mistake, or if it is none of data parallelism. The run must outlive it.
RankPlan plan_for(const Run& run, const distributed::World& world, const std::string& mistake);

// Networks in parts on several ranks.
struct ModelsInRanks {
    std::unique_ptr<Group> group;
    std::vector<InRanks> models;      // and LibTorch's module
    std::vector<const Ranks*> ranks;  // of the models, on rank 0
};

// Connects the ranks, which must have the same run and mistake: the networks of these names in parts on this rank, and
// last LibTorch's module in the same parts. The run must outlive it. Throws InputError as plan_for and
// distributed::connect do, if a rank has another run, and if the fused step does not support an operation.
ModelsInRanks models_in_ranks(const std::vector<std::string>& models, const std::string& mistake, const Run& run,
                              const distributed::World& world, std::size_t timeout, const torch_ref::Factory& torch);

// The candidates of rank 0; LibTorch's module in parts becomes the reference's.
Candidates candidates_in_ranks(ModelsInRanks& parts, Reference& reference);

std::vector<RankSummary> summaries_of(const ModelsInRanks& parts);

// Takes part in the comparison of rank 0 until it ends.
void follow_first(const std::vector<InRanks>& all, Group& group, Run& run);

// ---- External values, planted mistakes and dumps, which need the module checks ----

// External values from a file. What was done to fit them in is said on stderr. Throws InputError for the last fault;
// those before it are said as it is.
ExternalValues external_values(const std::string& path, const NetworkConfig& network, std::size_t rows);

// The stepwise network with that mistake in it. Throws InputError if it does not apply, or is one of several ranks.
std::unique_ptr<Candidate> planted(const std::string& name, const Run& run, const Reference& reference);

// Writes every value of the last step to a file, each implementation under its own prefix, with the batch and the
// recipe.
void write_dump(const std::string& path, const Run& run, const DrawnBatch& batch, std::size_t step,
                const Candidates& candidates, const ReferenceModels& reference);

}  // namespace byhand::cli
