// Every step of a graph, as a program has run it, judged by LibTorch's operation on the same inputs.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/end_to_end/value_report.h"
#include "report/document.h"
#include "trace/graph.h"
#include "trace/operations.h"
#include "train/safetensors.h"

namespace byhand {

// Reads a tensor of a dump; none if it is not there. It is called as often as the tensor is needed, so that a dump need
// not fit in memory.
using ReadTensor = std::function<std::optional<StoredTensor>(const std::string& name)>;

// A tensor that is traced: made by a step, a gradient, or an input of the graph that is compared with B.
struct TracedTensor {
    std::string what;           // makes it: "layer_norm", "gradient through add, linear"; "input"
    std::string where;          // in the program; may be empty
    std::string gradient_of;    // the tensor; empty: it is no gradient
    std::optional<DType> type;  // none if A lacks it
    std::string unjudged;       // why its step is not judged; else empty
};

struct Trace {
    std::string a, b;  // what the dumps are called; b is empty without one
    // End to end: A's value against B's. In isolation: A's against LibTorch's on A's inputs. Culprits are steps that
    // are wrong in isolation, and inputs that differ from B's.
    ModelReport model;
    std::vector<TracedTensor> tensors;  // of model.values, in their order
    std::size_t judged = 0;             // steps
    std::vector<std::string> not_in_b;  // tensors that steps make in A, and B lacks
    std::vector<std::string> notes;     // what was left out, and NaN in inputs
};

struct Dumps {
    std::string a;  // their names
    ReadTensor read_a;
    std::string b = {};
    ReadTensor read_b = {};  // may be empty
    bool pictures = false;   // of each tensor's errors, for a page
    // Called after each step, of so many.
    std::function<void(std::size_t done, std::size_t all)> progress = [](std::size_t /*done*/, std::size_t /*all*/) {};
};

// Judges the steps in their order, then the gradients in that of a backward pass. The limits of a step are those of
// check(view, matches(…)), in the type of A's tensor. Those of A against B are of the whole graph, evaluated from A's
// inputs with random rounding, once for A's rounding and once for B's. What A lacks, and what is no operation of
// LibTorch that is known, is not judged. Throws InputError that names the step if its inputs do not fit its operation.
Trace trace(const TracedGraph& graph, const Dumps& dumps, const TracedOperations& operations);

bool agree(const Trace& trace);
std::size_t unjudged(const Trace& trace);

// Whether what is wrong with a tensor is its difference to B: its step is not wrong in isolation.
bool is_off_with_b(const ValueReport& value);

// The verdict in a sentence, the culprits and what inherits from them, what is not judged, then a row for each tensor.
// In pages also the network as a diagram, and details of each tensor with its images.
Document trace_document(const Trace& trace);
Text conclusion(const Trace& trace);

}  // namespace byhand
