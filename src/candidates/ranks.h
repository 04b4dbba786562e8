// A network in parts on the ranks of a group, to compare: all of its values on every rank.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/group.h"
#include "base/implementation.h"
#include "candidates/candidates.h"
#include "harness/end_to_end/summary.h"
#include "harness/faults/rank_plan.h"
#include "harness/ranks/judge_ranks.h"

namespace byhand {

// The plan of a rank of the stepwise network. `network` must outlive it.
RankPlan rank_plan(const NetworkConfig& network, std::size_t rows, std::size_t parts, std::size_t rank,
                   std::size_t ranks);

// Draws the batch of a step, one after another.
using DrawBatch = std::function<Batch(std::size_t step)>;

// Runs training steps as rank 0 says, until it stops. Without `draw`, on the batches of rank 0. Throws what the group
// throws.
void follow(const RankPlan& plan, Group& group, const DrawBatch& draw = {});

// The values of all ranks, brought to rank 0, with all others in follow(). The plan's network and `group` must outlive
// it; `others` is released when they have been told to stop.
class Ranks final : public Implementation {
public:
    Ranks(RankPlan plan, Group& group, std::shared_ptr<void> others = {});
    ~Ranks() override;
    Ranks(const Ranks&) = delete;
    Ranks& operator=(const Ranks&) = delete;

    void load(const Tensors<float>& state) override;
    void run(const Batch& batch, float rate) override;
    // Rows of all parts; of the others what rank 0 has.
    std::vector<View> views() const override;

    // Of the last run: adds what judge_ranks finds.
    void judge(std::vector<IsolatedStep>& isolated) const;
    RankSummary summary() const;
    const RankPlan& plan() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

// Ranks as threads of this process, with an injected fault unless it is null, and the names of its root causes: empty
// if it does not apply. `network` must outlive them.
struct RanksOnThreads {
    std::unique_ptr<Ranks> ranks;
    std::vector<std::string> culprits;
};
RanksOnThreads ranks_on_threads(const Mistake* mistake, const NetworkConfig& network, std::size_t rows,
                                std::size_t parts, std::size_t ranks);

// The stepwise network in parts on several ranks. Its isolated steps are those of the network in parts, held to
// LibTorch's operations, and then those of each rank, held to one process. The reference must outlive it.
Candidate candidate_in_ranks(std::unique_ptr<Ranks> ranks, const Reference& reference);

}  // namespace byhand
