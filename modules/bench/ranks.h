// A training step by several ranks.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/group.h"
#include "bench/rounds.h"
#include "torch_ref/torch_ref.h"
#include "train/run.h"

namespace byhand::bench {

// The first N of all ranks. Null in a process that is none of them, and for N = 1.
struct RankGroup {
    std::size_t ranks = 1;
    std::unique_ptr<Group> group;
};

// N ranks. Of one rank that has the batch as a whole, parts is 1.
struct RankTimes {
    std::size_t ranks = 1, parts = 1;
    Spread seconds;                              // of a step by hand
    double gain = 1;                             // over one rank that has the batch as a whole
    double exchanging = 0;                       // share of the time in messages, waiting for other ranks included
    std::size_t messages = 0, bytes = 0;         // of a step; the bytes that a rank contributes
    std::optional<Spread> torch_seconds, ratio;  // LibTorch's time, and that over ours
};

struct RankResult {
    std::size_t rounds = 0;
    std::vector<RankTimes> times;  // first of one rank with the whole batch
    bool agree = true;             // whether the loss has the same bits on any number of ranks
};

inline constexpr double kRankTurn = 0.03;  // seconds

// To be called by all ranks at once; the result is that of the first. The groups differ in their numbers of ranks.
// `torch` may be null. A turn takes about `turn` seconds, or one step. Precondition: 0 < parts ≤ the batch's rows.
RankResult rank_times(const Run& run, std::size_t parts, Group& all, std::span<const RankGroup> groups,
                      const torch_ref::Factory* torch, std::size_t rounds, double turn = kRankTurn);

}  // namespace byhand::bench
