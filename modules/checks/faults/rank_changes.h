// What mistakes of data parallelism change in the plan of a rank (ranks/joined_graph.h).
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/parts.h"
#include "checks/faults/planting.h"
#include "ranks/joined_graph.h"

namespace byhand::planting {

using Shares = std::span<const std::span<float>>;
using PlantInRank = std::function<Names(RankPlan&)>;

// A mistake that needs several ranks.
Mistake in_ranks(std::string name, std::string what, std::string source, PlantInRank plant);

// ---- what a rank has ----

PartsOfRank own_parts(const RankPlan& plan);

// n of a norm: of the rank with that part, and of the batch.
struct Counts {
    float own = 0, all = 0;
};
Counts counts(const RankPlan& plan, const Network& graph, const Step& step, const BatchPart& place);

// ---- names ----

Names made_by_function(const RankPlan& plan, const std::vector<std::string>& functions);

// The sums of the backward pass: the parameters' gradients, or all others.
Names backward_sums(const RankPlan& plan, bool of_parameters);
Names gradients(const RankPlan& plan);
// Of the output's weights.
Names last_gradient(const RankPlan& plan);

// ---- changes; each returns the values in which it shows ----

// Changes the graph of each part that the rank has; nothing where the step is not there, or the edit returns false.
Names in_each_part(RankPlan& plan, const std::string& function,
                   const std::function<bool(Network& graph, Step& step, const BatchPart& place)>& edit);

// The sums of these names otherwise, times a factor, or of what the rank has itself, times a factor.
Names with_sums(RankPlan& plan, const Names& names, const AddShares& add_shares);
Names with_sums_times(RankPlan& plan, const Names& names, float factor);
Names with_own_shares(RankPlan& plan, const Names& names, float factor);
Names with_means_of_own_rows(RankPlan& plan, const Names& names);

// On ranks but the first, the batch whose row i is row `from(i)` of the right one.
Names with_rows_on_others(RankPlan& plan, const std::function<std::size_t(std::size_t row)>& from);

}  // namespace byhand::planting
