// The operations of a training step, each in isolation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/network.h"
#include "bench/machine.h"
#include "bench/peers/peers.h"
#include "bench/rounds.h"
#include "bench/timed_steps.h"
#include "report/document.h"
#include "torch_ref/torch_ref.h"

namespace byhand::bench {

// The operations of which no step is timed in isolation (bench/timed_steps.h), by their op: activations without a
// kernel.
std::set<std::string> untimed_operations_of(const NetworkConfig& config, std::span<const KernelOfStep> timed);

// A step on random numbers, the same every time.
struct RandomInputs {
    TimedStep step;
    std::vector<Operand<float>> operands;  // the same, for a kernel

    explicit RandomInputs(const KernelOfStep& what);
    RandomInputs(const RandomInputs&) = delete;
    RandomInputs& operator=(const RandomInputs&) = delete;

private:
    std::deque<std::vector<float>> numbers_;
    std::vector<std::int64_t> indices_;
};

struct OperationTimes {
    std::string recipe;
    KernelOfStep what;
    Rounds rounds;
    // The largest difference between the results of both implementations, relative to the largest number; 0 without
    // LibTorch. A difference above kApart is not due to rounding.
    double apart = 0;
    std::vector<PeerResult> peers;  // of a product
    double pass = 0;                // seconds to read its arrays and write them (bench/budget.h)
};

// One step in both implementations, and a product by the peers, alternating, on the same numbers. Without `torch`, not
// LibTorch's.
OperationTimes operation_times(const KernelOfStep& what, const torch_ref::Factory* torch, std::size_t rounds,
                               std::size_t threads, std::span<const peers::Peer> peers = {});

// Formatted like the report of steps, with a table for each recipe, and a budget (bench/budget.h) for each of which
// `steps` has the seconds of a whole step by hand.
Document document_of(const Machine& machine, const std::vector<OperationTimes>& operations,
                     const std::map<std::string, Spread>& steps = {});

}  // namespace byhand::bench
