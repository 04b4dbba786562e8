// The ranks of a network in parts, each held to the bit to what one process computes from the same values.
#pragma once

#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/model.h"
#include "harness/isolated/isolated.h"
#include "ranks/joined_graph.h"
#include "steps/step.h"

namespace byhand {

// The network as each part should compute it.
struct RightParts {
    std::vector<BatchPart> places;
    std::vector<Graph> graphs;  // of each part
};

// Of each value that some rank does not have as it should, the first such place: the trial's note names rank and part.
// In this order:
//   X, Y         a part's rows of the batch
//   the state    with which every rank begins the step, and the rate
//   a step       that each part, or each rank, computes from what it holds
//   a sum        of the shares that all parts have, which every rank adds up pairwise
// A step's own result is compared with that of the right function on the same values, so that what is wrong elsewhere
// shows there alone. The others of `isolated` stay as they are; what is not among them is appended.
void judge_ranks(std::vector<IsolatedStep>& isolated, const RightParts& right, std::span<const RankValues> ranks,
                 const Batch& batch, float rate, const Tensors<float>& state);

// Of the values in the order of `whole`, the first that differs by a bit from `one`, the values of one process, on any
// rank: its trial's note names the rank. (What follows from it differs as well.)
void judge_bits(std::vector<IsolatedStep>& isolated, const Graph& whole, std::span<const RankValues> ranks,
                const RankValues& one);

// The values of the whole batch that any rank has, named and shaped as in `whole`: the rows of all parts, and what rank
// 0 has of the others.
Tensors<float> whole_values(const Graph& whole, std::span<const RankValues> ranks);

// The names of the values that differ between ranks and `one`, the values of one process, by a bit on any rank.
std::set<std::string> different_bits(std::span<const RankValues> ranks, const RankValues& one);

}  // namespace byhand
