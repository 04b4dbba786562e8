// Training in parts: the rows of each batch are split into parts, which may lie in several processes, and every sum
// over the rows is the sum of the parts' shares in a fixed order. What is computed depends on the number of parts, not
// on the number of processes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "base/parts.h"
#include "base/tensors.h"
#include "manual/hand_model.h"
#include "ranks/joined_graph.h"
#include "steps/step.h"

namespace byhand {

// A network without its rows, and the rows of this rank's parts. Of a step whose result
//   has rows         each part computes its own;
//   sums over rows   each part computes its share. The shares of all parts are added as soon as a step reads such a
//                    sum, together with all others that are complete (base/parts.h);
//   has no rows      and reads nothing that has: each rank computes the same.
class PartsRunner {
public:
    // The graphs' glossary tells which values have rows. Throws std::logic_error as Runner does. `group` must outlive
    // it. With Keep::all the shares of the parts are kept, for values(); then `add_shares`, unless it is empty, takes
    // the place of the exchange. Precondition: 0 < parts ≤ rows.
    PartsRunner(const MakePart& make, std::size_t rows, std::size_t parts, Group& group, Keep keep = Keep::needed,
                AddShares add_shares = {});
    PartsRunner(const PartsRunner&) = delete;
    PartsRunner& operator=(const PartsRunner&) = delete;

    // The state before and after, the rate, the loss, and all other values without rows.
    Tensors<float>& shared() { return shared_; }
    const Tensors<float>& shared() const { return shared_; }

    // How often sums are exchanged in a step.
    std::size_t messages() const { return std::ranges::count_if(stages_, &Stage::has_sums); }

    // Forward, loss, backward and update for the whole batch, of which each rank reads its parts' rows.
    void run(const Batch& batch, float rate);

    // All that this rank holds after a step. Precondition: Keep::all.
    RankValues values() const;

private:
    struct PartOfBatch {
        BatchPart place;
        Graph graph;
        PartValues values;
    };
    // The share of a part, and where it is added.
    struct SpanAddition {
        std::span<float> to, from;
    };
    struct Call {
        BoundStep<float> step;
        std::span<float> kept = {};                // a copy of the result, unless it is empty
        std::vector<SpanAddition> additions = {};  // after the call
    };
    // Steps, each as one call or one for each part, and then an exchange, if any.
    struct Stage {
        std::vector<std::pair<std::size_t, std::size_t>> steps = {};  // list, and place in it
        std::vector<Call> calls = {};
        SharedSums sums = {};
        std::vector<std::string> names = {};  // of the sums

        bool has_sums() const { return !names.empty(); }
    };

    void allocate();
    void add_otherwise(const std::string& name);
    void plan();
    void bind(Stage& stage, std::size_t list, std::size_t at);
    void bind_sum(Stage& stage, std::size_t list, std::size_t at);
    void add_call(Stage& stage, const Step& step, float* out, const PartOfBatch* part) const;
    Operand<float> operand(const std::string& name, const PartOfBatch* part) const;

    Group& group_;
    std::size_t all_parts_;
    Keep keep_;
    AddShares add_shares_;
    PartSums parts_;
    Graph first_;  // of the first part, for the steps that all ranks compute
    std::vector<PartOfBatch> own_;
    Tensors<float> shared_;
    std::map<std::string, std::size_t> place_of_;  // of a sum in a slot
    AlignedVector<float> scratch_;                 // for the slots that are not sent
    std::vector<Stage> stages_;
};

// A network in parts, to train, or to compare by what it holds on every rank. It evaluates by the formulas, or by what
// takes their place.
class ModelInParts final : public HandModel {
public:
    // As PartsRunner, on this rank.
    ModelInParts(RankPlan plan, const NetworkConfig& config, Group& group, Keep keep, ReplaceSteps replace = nullptr);

    void load(const Tensors<float>& state) override;
    Tensors<float> save() const override { return state_.save(); }
    void run(const Batch& batch, float rate) override;
    float train_step(const Batch& batch, float rate) override;
    // Those without rows.
    std::vector<View> views() const override { return runner_.shared().views(); }

    const PartsRunner& runner() const { return runner_; }

private:
    RankPlan plan_;
    PartsRunner runner_;
    StateInPlace<float> state_;
};

// A model to train, in parts. The fused form runs on `threads` threads. Throws InputError where check_network does.
// `config` must outlive it.
std::unique_ptr<Trainable> make_model_in_parts(HandForm form, const NetworkConfig& config, std::size_t rows,
                                               const Division& division, std::size_t threads = 1);

}  // namespace byhand
