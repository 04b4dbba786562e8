// A network in parts on the ranks of a group, with all values that each rank holds after a step.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "ranks/joined_graph.h"
#include "ranks/judge_ranks.h"

namespace byhand {

// A network that all ranks run together, on one of them.
struct InRanks {
    std::string name;
    std::size_t parts = 1;
    Graph whole;                     // the stepwise graph of the whole batch: the order of the values, and their shapes
    std::vector<RankValues> tables;  // of each rank's values, unwritten
    std::unique_ptr<Model> model;    // runs on the rank's rows of the whole batch
    std::function<RankValues()> values;  // of the last run
    std::size_t messages = 0;            // how often sums are exchanged in a step; 0 if that is not known
    // Makes the same network in one process, with the same bits. Empty if there is none.
    std::function<InRanks(Group& alone)> by_one = {};
    std::optional<RightParts> right = {};  // if each of its steps can be judged
};

// The plan of a rank of the stepwise or the collapsed network. `network` must outlive it.
RankPlan rank_plan(HandForm form, const NetworkConfig& network, std::size_t rows, std::size_t parts, std::size_t rank,
                   std::size_t ranks);

// Step by step, by the plan. `network` and `group` must outlive the results of these functions.
InRanks graph_in_ranks(const RankPlan& plan, const NetworkConfig& network, Group& group);
// The fused step; it has the rows of all parts of a rank together. Throws InputError if it does not support one of the
// operations.
InRanks fused_in_ranks(const NetworkConfig& network, std::size_t rows, std::size_t parts, Group& group);
// LibTorch's module in parts.
InRanks module_in_ranks(std::unique_ptr<Model> module, const NetworkConfig& network, std::size_t rows,
                        std::size_t parts, Group& group);

}  // namespace byhand
