// Training in parts: the rows of each batch are split into parts, which may lie in several processes, and every sum
// over the rows is the sum of the parts' shares in a fixed order. What is computed depends on the number of parts, not
// on the number of processes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/batch.h"
#include "base/group.h"
#include "base/parts.h"
#include "base/tensors.h"
#include "steps/step.h"

namespace byhand {

// Makes the graph of a part.
using MakePart = std::function<Graph(const BatchPart& part)>;

// A network without its rows, and the rows of this rank's parts. Of a step whose result
//   has rows         each part computes its own;
//   sums over rows   each part computes its share. The shares of all parts are gathered as soon as a step reads such a
//                    sum, together with all others that are complete, and added pairwise: 0 + 1, 2 + 3, …, then the
//                    sums of neighbours, and so on;
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

    // How often shares are gathered in a step.
    std::size_t messages() const { return exchanges_.size(); }

    // Forward, loss, backward and update for the whole batch, of which each rank reads its parts' rows.
    void run(const Batch& batch, float rate);

private:
    struct PartOfBatch {
        BatchPart place;
        Graph graph;
        std::vector<std::int64_t> X, Y;
        Tensors<float> tensors;  // the values with rows
    };
    struct Sum {
        std::string name;
        std::size_t from = 0, count = 0;  // in a part's shares of the exchange
    };
    struct Exchange {
        std::vector<Sum> sums;
        SumOverParts shares;
    };
    struct Call {
        const Step* step = nullptr;
        float* out = nullptr;
        std::vector<Operand<float>> reads;
    };
    // Calls, and then an exchange, if any.
    struct Stage {
        std::vector<Call> calls;
        Exchange* exchange = nullptr;
    };
    enum class Kind { rows, sum, shared };

    bool has_rows(const std::string& name) const;
    Kind kind_of(const Step& step) const;
    void allocate();
    void plan();
    void bind(Stage& stage, std::size_t list, std::size_t at);
    Operand<float> operand(const std::string& name, const PartOfBatch* part) const;
    void exchange(Exchange& it);

    Group& group_;
    std::size_t parts_;
    Graph first_;  // of the first part, for the steps that all ranks compute
    std::vector<PartOfBatch> own_;
    Tensors<float> shared_;
    std::vector<Exchange> exchanges_;
    std::map<std::string, std::size_t> share_of_;  // a sum's place in a part's shares
    std::vector<Stage> stages_;
};

}  // namespace byhand
