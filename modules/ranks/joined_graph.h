// The graph of a batch in parts, how a rank computes its own, and the part of each step's result that it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/model.h"
#include "base/tensors.h"
#include "steps/step.h"

namespace byhand {

// Makes the graph of a part.
using MakePart = std::function<Graph(const BatchPart& part)>;

// Sets the sum `name` from the shares of all parts, in order, which it may use up.
using AddShares =
    std::function<void(const std::string& name, std::span<float> sum, std::span<const std::span<float>> shares)>;

// How a rank of a network in parts computes. Mistakes of data parallelism are changes of it.
struct RankPlan {
    HandForm form = HandForm::stepwise;  // or collapsed
    std::size_t rank = 0, ranks = 1;
    std::vector<BatchPart> places;  // of all parts
    Graph whole = {};               // the right stepwise graph of the whole batch, to judge
    MakePart make = {};
    // Empty members mean the right behaviour.
    AddShares add_shares = {};
    std::function<void(Tensors<float>& state)> load = {};  // changes the state that it is given
    std::function<Batch(const Batch& batch)> batch = {};   // takes another one
};

// Whether a value, X or Y has a row for each row of the batch. Throws std::logic_error for a name that is not in the
// glossary.
bool has_rows(const Glossary& glossary, const std::string& name);

// The part of a step's result that one part of the batch computes.
enum class InParts {
    rows,    // its rows of the result
    sum,     // its share of the result, which is a sum over the rows
    shared,  // none: the result depends only on values without rows
};
InParts in_parts(const Glossary& glossary, const Step& step);

// The network of the whole batch, each step computed in parts, whose shares are added as add_pairwise does. `graphs`
// are those of the parts, in order, with the same steps as `whole`. Functions are called "f in 8 parts".
Graph joined(Graph whole, const std::vector<BatchPart>& parts, const std::vector<Graph>& graphs);

// ---- The values that a rank of a network in parts holds after a step, to be compared with the right ones ----

struct PartValues {
    std::vector<std::int64_t> X, Y;
    Tensors<float> rows;    // the values with rows
    Tensors<float> shares;  // of each sum over the rows
};

struct RankValues {
    std::vector<PartValues> parts;  // the rank's own, in order
    Tensors<float> shared;          // the state, the rate and all values without rows
};

// The tables of a rank whose parts have these graphs, every element unwritten. `any` is the graph of any part.
RankValues rank_values(const Graph& any, std::span<const Graph> parts);

// All numbers one after the other; indices are exact up to 2²⁴.
std::vector<float> in_a_row(const RankValues& values);
// The reverse, into values with the same tables. Returns how many numbers it has read. Precondition: there are as many.
std::size_t read_row(RankValues& values, std::span<const float> row);

}  // namespace byhand
