// How a rank of a network in parts computes. Mistakes of data parallelism are changes of it.
#pragma once

#include <cstddef>
#include <functional>

#include "base/model.h"
#include "base/tensors.h"
#include "ranks/joined_graph.h"
#include "steps/step.h"

namespace byhand {

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

}  // namespace byhand
