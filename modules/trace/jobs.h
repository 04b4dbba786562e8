// What is to be judged of a graph: its steps, and the gradients that follow from them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "byhand/reference.h"
#include "trace/graph.h"
#include "trace/operations.h"

namespace byhand {

// A tensor and how it is computed from others.
struct TracedJob {
    std::string makes;
    std::string what, where;         // as in TracedTensor
    std::string file, path;          // the step's place in the graph, for messages
    std::vector<std::string> reads;  // a view for each
    std::string gradient_of = {};    // the tensor; empty: it is none
    Evaluate right = {};             // empty: it is not judged
    Evaluate from_results = {};      // of a gradient that can be computed from results of the forward pass; else empty
    // Of a gradient: a program may compute it from what the forward step has kept besides its result, as a norm's mean.
    bool may_use_statistics = false;
    std::string unjudged = {};  // why
    // Of a gradient with several terms, which a program may round one by one: Σ |term|.
    Evaluate magnitudes = {};
    std::size_t terms = 1;
};

// Whether the dump has a tensor: of whole numbers, a single number, or several.
enum class Presence { absent, whole, single, several };
using HasTensor = std::function<Presence(const std::string& name)>;

// The steps, then each gradient that `has` has, in the order of a backward pass. Throws InputError for an operation
// whose inputs or attributes are not what it takes.
std::vector<TracedJob> traced_jobs(const TracedGraph& graph, const HasTensor& has, const TracedOperations& operations);

}  // namespace byhand
