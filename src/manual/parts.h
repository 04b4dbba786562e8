// Training in parts: the rows of each batch are split into parts, which may lie in several processes, and every sum
// over the rows is the sum of the parts' shares in a fixed order. What is computed depends on the number of parts, not
// on the number of processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/batch.h"
#include "base/group.h"
#include "base/tensors.h"
#include "manual/part_sums.h"
#include "steps/step.h"

namespace byhand {

// The rows of a batch in `parts` parts, whose sizes differ by at most one. Precondition: 0 < parts ≤ rows.
std::vector<BatchPart> parts_of(std::size_t rows, std::size_t parts);

// The parts of a rank, `first` to before `last`: with more ranks than parts, some have none.
struct PartsOfRank {
    std::size_t first = 0, last = 0;
    std::size_t count() const { return last - first; }
};
PartsOfRank parts_of_rank(std::size_t parts, std::size_t rank, std::size_t ranks);

// Makes the graph of a part.
using MakePart = std::function<Graph(const BatchPart& part)>;

// A network without its rows, and the rows of this rank's parts. Of a step whose result
//   has rows         each part computes its own;
//   sums over rows   each part computes its share. The shares of all parts are added as soon as a step reads such a
//   sum,
//                    together with all others that are complete (manual/part_sums.h);
//   has no rows      and reads nothing that has: each rank computes the same.
class PartsRunner {
public:
    // The graphs' glossary tells which values have rows. Throws std::logic_error as Runner
    // does. `group` must outlive it. Precondition: 0 < parts ≤ rows.
    PartsRunner(const MakePart& make, std::size_t rows, std::size_t parts, Group& group);
    PartsRunner(const PartsRunner&) = delete;
    PartsRunner& operator=(const PartsRunner&) = delete;

    // The state before and after, the rate, the loss, and all other values without rows.
    Tensors<float>& shared() { return shared_; }

    // How often sums are exchanged in a step.
    std::size_t messages() const { return shared_sums_.size(); }

    // Forward, loss, backward and update for the whole batch, of which each rank reads its parts' rows.
    void run(const Batch& batch, float rate);

private:
    struct PartOfBatch {
        BatchPart place;
        Graph graph;
        std::vector<std::int64_t> X, Y;
        Tensors<float> tensors;  // the values with rows
    };
    // The share of a part, and where it is added.
    struct Addition {
        std::span<float> to, from;
    };
    struct Call {
        const Step* step = nullptr;
        float* out = nullptr;
        std::vector<Operand<float>> reads;
        std::vector<Addition> additions;  // after the call
    };
    // Calls, and then an exchange, if any.
    struct Stage {
        std::vector<Call> calls;
        SharedSums* sums = nullptr;
    };
    enum class Kind { rows, sum, shared };

    bool has_rows(const std::string& name) const;
    Kind kind_of(const Step& step) const;
    void allocate();
    void plan();
    void bind(Stage& stage, std::size_t list, std::size_t at);
    void bind_sum(Stage& stage, std::size_t list, std::size_t at);
    void add_call(Stage& stage, const Step& step, float* out, const PartOfBatch* part) const;
    Operand<float> operand(const std::string& name, const PartOfBatch* part) const;

    Group& group_;
    PartSums parts_;
    Graph first_;  // of the first part, for the steps that all ranks compute
    std::vector<PartOfBatch> own_;
    Tensors<float> shared_;
    std::vector<SharedSums> shared_sums_;
    std::map<std::string, std::size_t> place_of_;  // of a sum in a slot
    AlignedVector<float> scratch_;                 // for the slots that are not sent
    std::vector<Stage> stages_;
};

}  // namespace byhand
