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

// Judges each value on every rank. A wrong value gets the first place where it is wrong, and the trial's note names
// rank and part. In this order:
//   X, Y         a part's rows of the batch
//   the state    at the beginning of the step on every rank, and the rate
//   a step       computed by each part, or each rank, from the values that it holds
//   a sum        of the shares of all parts, which every rank adds pairwise
// A step's result is compared with that of the right function on the same values, so that an error shows only where it
// is made. Other members of `isolated` remain unchanged; missing ones are appended.
void judge_ranks(std::vector<IsolatedStep>& isolated, const RightParts& right, std::span<const RankValues> ranks,
                 const Batch& batch, float rate, const Tensors<float>& state);

// The first value, in the order of `whole`, that differs by a bit on any rank from `one`, the values of one process;
// the trial's note names the rank. (Values that depend on it differ as well.)
void judge_bits(std::vector<IsolatedStep>& isolated, const Graph& whole, std::span<const RankValues> ranks,
                const RankValues& one);

// The values of the whole batch, named and shaped as in `whole`: the rows of all parts, and rank 0's values without
// rows.
Tensors<float> whole_values(const Graph& whole, std::span<const RankValues> ranks);

// The names of the values that differ between ranks and `one`, the values of one process, by a bit on any rank.
std::set<std::string> different_bits(std::span<const RankValues> ranks, const RankValues& one);

}  // namespace byhand
