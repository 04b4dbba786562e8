// Networks in parts on the ranks of a group, to compare: all of their values on every rank.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "compare/candidates.h"
#include "harness/end_to_end/summary.h"
#include "ranks/in_ranks.h"
#include "ranks/joined_graph.h"
#include "ranks/judge_ranks.h"

namespace byhand {

// Draws the batch of a step, one after another.
using DrawBatch = std::function<Batch(std::size_t step)>;

// Runs the training steps that rank 0 orders, until it stops, on batches of `rows` rows. Without `draw`, on those of
// rank 0. Throws what the group throws.
void follow(std::span<const InRanks> all, const NetworkConfig& network, std::size_t rows, Group& group,
            const DrawBatch& draw = {});

// Leads the other ranks, which are in follow(), from rank 0; when it ends, it stops them, and then releases `others`.
// `group` must outlive it.
class Leader {
public:
    explicit Leader(Group& group, std::shared_ptr<void> others = {}) : others_(std::move(others)), group_(group) {}
    ~Leader();
    Leader(const Leader&) = delete;
    Leader& operator=(const Leader&) = delete;

    Group& group() const { return group_; }

private:
    std::shared_ptr<void> others_;
    Group& group_;
};

// The values of all ranks, brought to rank 0.
class Ranks final : public Model {
public:
    // `number`: its place in the list that the other ranks have passed to follow().
    Ranks(InRanks its, std::size_t number, std::shared_ptr<Leader> leader);

    void load(const Tensors<float>& state) override;
    void run(const Batch& batch, float rate) override;
    // The rows of all parts, and rank 0's values without rows.
    std::vector<View> views() const override;

    // Adds the findings of judge_ranks for the last run, or of judge_bits if the steps can't be judged.
    void judge(std::vector<IsolatedStep>& isolated) const;
    RankSummary summary() const;
    const InRanks& in_ranks() const { return in_ranks_; }

private:
    InRanks in_ranks_;
    std::size_t number_;
    std::shared_ptr<Leader> leader_;
    Single alone_;
    std::optional<InRanks> one_;  // if it is held to one process
    std::size_t longest_;
    Tensors<float> state_, whole_;
    Batch batch_;
    float rate_ = 0;
    std::set<std::string> different_;  // in any run
};

// Ranks as threads of this process, with an injected fault unless it is null, and the names of its root causes, which
// are empty if the fault does not apply. `network` must outlive them.
struct RanksOnThreads {
    std::unique_ptr<Ranks> ranks;
    std::vector<std::string> culprits;
};
RanksOnThreads ranks_on_threads(const Mistake* mistake, const NetworkConfig& network, std::size_t rows,
                                std::size_t parts, std::size_t ranks, const std::string& model = "stepwise");

// A handwritten network in parts on several ranks. Step by step, its isolated steps are those of the network in parts,
// held to LibTorch's operations, and then those of each rank, held to one process. The reference must outlive it.
std::unique_ptr<StepCandidate> candidate_in_ranks(std::unique_ptr<Ranks> ranks, const Reference& reference);

}  // namespace byhand
