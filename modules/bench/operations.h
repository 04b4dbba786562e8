// The operations of a training step, each in isolation.
#pragma once

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/timed_operation.h"
#include "bench/machine.h"
#include "bench/peers/peers.h"
#include "bench/rounds.h"
#include "report/document.h"
#include "torch_ref/torch_ref.h"

namespace byhand::bench {

// An operation of a step, and the number of times it occurs.
struct OperationOfStep {
    OperationShape shape;
    std::size_t times = 1;
};

// The operations of a training step, shape by shape, in the order of the forward pass, then the backward pass, then the
// update. The exponentials of the softmax are listed separately and are also part of its cross-entropy.
std::vector<OperationOfStep> operations_of(const NetworkConfig& config, std::size_t rows);

// The operations without a timing of their own, by their op: RMS norm, residual and dropout are timed only as part of
// the step.
std::set<std::string> untimed_operations_of(const NetworkConfig& config);

// "linear forward", "batchnorm backward", …
std::string name_of(const OperationShape& shape);

// Inputs for it, the same every time.
OperationInput input_of(const OperationShape& shape);

// The FLOP of a product; 0 for any other operation, which is bounded by memory or by functions other than
// multiply-adds.
double flops_of(const OperationShape& shape);

struct OperationTimes {
    std::string recipe;
    OperationOfStep what;
    Rounds rounds;
    // The largest difference between the results of both implementations, relative to the largest number; 0 without
    // LibTorch. A difference above kApart is not due to rounding.
    double apart = 0;
    std::vector<PeerResult> peers;  // of a product
    double pass = 0;                // seconds to read its arrays and write them (bench/budget.h)
};

// One operation in both implementations, and a product by the peers, alternating, on the same numbers. Without `torch`,
// not LibTorch's.
OperationTimes operation_times(const OperationOfStep& what, const torch_ref::Factory* torch, std::size_t rounds,
                               std::size_t threads, std::span<const peers::Peer> peers = {});

// The time of a whole step of a recipe, by hand.
struct WholeStep {
    std::string recipe;
    Spread seconds;
};

// Formatted like the report of steps, with a table for each recipe, and a budget (bench/budget.h) for each of `steps`.
Document document_of(const Machine& machine, const std::vector<OperationTimes>& operations,
                     const std::vector<WholeStep>& steps = {});

// ---- Handwritten single operations, for timing ----

// The functions of src/manual that the fused network uses.
PreparedOperation by_hand(const OperationInput& input);

}  // namespace byhand::bench
