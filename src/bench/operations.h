// The operations of a training step, each by itself.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/timed_operation.h"
#include "bench/machine.h"
#include "bench/rounds.h"
#include "report/document.h"
#include "torch_ref/torch_ref.h"

namespace byhand::bench {

// One that a step has, and how often.
struct OperationOfStep {
    OperationShape shape;
    std::size_t times = 1;
};

// What a step of the network consists of, shape by shape, in the order of the forward pass, then the backward pass,
// then the update. The exponentials of the softmax stand by themselves and in its cross-entropy too.
std::vector<OperationOfStep> operations_of(const NetworkConfig& config, std::size_t rows);

// Those that it does not have, by their op: layer norm, RMS norm and the activations but tanh are timed in the step
// alone.
std::set<std::string> untimed_operations_of(const NetworkConfig& config);

// "linear forward", "batchnorm backward", …
std::string name_of(TimedOperation operation);

// Numbers for it, the same every time.
OperationInput input_of(const OperationShape& shape);

// The FLOP of a product; 0 of any other operation, which memory bounds or functions that are no multiply-adds.
double flops_of(const OperationShape& shape);

struct OperationTimes {
    std::string recipe;
    OperationOfStep what;
    Rounds rounds;
    // The largest difference between what both sides make, relative to the largest number; 0 without LibTorch. More
    // than kApart is not rounding.
    double apart = 0;
};

// One operation by both sides in turn, on the same numbers. Without `torch` ours alone.
OperationTimes operation_times(const OperationOfStep& what, const torch_ref::Factory* torch, std::size_t rounds,
                               std::size_t threads);

// As the report of steps, with a table for each recipe.
Document document_of(const Machine& machine, const std::vector<OperationTimes>& operations);

}  // namespace byhand::bench
