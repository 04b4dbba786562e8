// The computation of anybody's program as a list of steps: which tensor each makes, by which operation, of which
// others.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"

namespace byhand {

// What a step reads: a tensor of the dump or a number. Neither: an input of the operation that is left out (null).
struct TracedInput {
    std::string tensor = {};
    std::optional<double> number = {};
};

// A step that computes, instead of the operation's result, its vector–Jacobian product with respect to one input.
struct TracedVjp {
    std::uint64_t of = 0;  // the place of the input
    std::string gradient;  // the tensor that is the gradient of the operation's result
};

struct TracedStep {
    std::string result, operation;  // an operation of LibTorch by its ATen name, without "aten::"
    std::vector<TracedInput> inputs;
    Json attributes = Json::object();
    std::optional<std::uint64_t> output;  // of an operation with several results, as split
    std::optional<TracedVjp> vjp;
    std::string where;       // it stands in the program: "model.py:41"; may be empty
    std::string file, path;  // its place in the graph: "graph.json", "steps[3] (fc.h)"
};

struct TracedGraph {
    std::string gradients;  // how dumps call the gradient of a tensor: "grad.{}"; empty: none is judged
    std::vector<TracedStep> steps;
};

// Reads a graph from JSON; `file` is its name. Throws InputError that names the key or the step: JSON of another form,
// unknown keys, two steps with one result, and a step that reads what only it or a later one makes.
TracedGraph read_graph(const std::string& text, const std::string& file);

// Precondition: the graph has a pattern for gradients.
std::string gradient_name(const TracedGraph& graph, const std::string& tensor);

}  // namespace byhand
