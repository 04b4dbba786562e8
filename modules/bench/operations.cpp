#include "bench/operations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <ranges>
#include <utility>

#include "bench/budget.h"
#include "fast/simd/kernels.h"
#include "judge/finding.h"
#include "names/random.h"

namespace byhand::bench {
namespace {

// Adds an operation, or increments the count of an equal one.
void add(std::vector<OperationOfStep>& all, const OperationShape& shape) {
    const auto like = std::ranges::find(all, shape, &OperationOfStep::shape);
    if (like == all.end()) {
        all.push_back({shape, 1});
    } else {
        ++like->times;
    }
}

void add_forward(std::vector<OperationOfStep>& all, const Operation& one, const NetworkConfig& config,
                 std::size_t rows) {
    const std::size_t in = one.layer.inputs, out = one.layer.outputs, V = config.vocabulary;
    rows *= one.positions;
    if (one.op == op::kEmbedding) {
        add(all, {TimedOperation::embedding_forward, rows * config.context, V, config.embedding});
    } else if (one.op == op::kLinear) {
        add(all, {TimedOperation::linear_forward, rows, in, out, one.layer.has_bias});
    } else if (one.op == op::kBatchnorm) {
        add(all, {TimedOperation::norm_forward, rows, out, out});
    } else if (one.op == op::kLayernorm) {
        add(all, {TimedOperation::layernorm_forward, rows, out, out});
    } else if (simd::activation_of(one.op)) {
        add(all, {TimedOperation::activation_forward, rows, out, out, false, one.op});
    } else if (one.op == op::kCrossEntropy) {
        add(all, {TimedOperation::exp_forward, rows, V, V});
        add(all, {TimedOperation::cross_entropy, rows, V, V});
    }
}

void add_backward(std::vector<OperationOfStep>& all, const Operation& one, const NetworkConfig& config,
                  std::size_t rows) {
    const std::size_t in = one.layer.inputs, out = one.layer.outputs;
    rows *= one.positions;
    if (simd::activation_of(one.op)) {
        add(all, {TimedOperation::activation_backward, rows, out, out, false, one.op});
    } else if (one.op == op::kBatchnorm) {
        add(all, {TimedOperation::norm_backward, rows, out, out});
    } else if (one.op == op::kLayernorm) {
        add(all, {TimedOperation::layernorm_backward, rows, out, out});
    } else if (one.op == op::kLinear) {
        add(all, {TimedOperation::linear_weight_backward, rows, in, out});
        add(all, {TimedOperation::linear_input_backward, rows, in, out});
    } else if (one.op == op::kEmbedding) {
        add(all, {TimedOperation::embedding_backward, rows * config.context, config.vocabulary, config.embedding});
    }
}

// Uniform in [−1, 1).
std::vector<float> numbers(std::mt19937& bits, std::size_t count) {
    constexpr int kUnused = 8;  // float has 24 bits
    std::vector<float> values(count);
    for (float& value : values) {
        value = static_cast<float>(static_cast<std::uint32_t>(bits()) >> kUnused) * 0x1p-23F - 1.0F;
    }
    return values;
}

// Relative to the largest magnitude of theirs.
double relative_difference(const std::vector<float>& ours, const std::vector<float>& theirs) {
    return largest_difference(ours, theirs) / largest_difference(theirs, std::vector<float>(theirs.size(), 0));
}

Steps steps_of(const PreparedOperation& operation) {
    return [&operation](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            operation.run();
        }
    };
}

}  // namespace

std::vector<OperationOfStep> operations_of(const NetworkConfig& config, std::size_t rows) {
    std::vector<OperationOfStep> all;
    const std::vector<Operation> network = operations(config);
    for (const Operation& one : network) {
        add_forward(all, one, config, rows);
    }
    for (const Operation& one : network | std::views::reverse) {
        add_backward(all, one, config, rows);
    }
    for (const Layer& layer : layers(config)) {
        add(all, {TimedOperation::update, layer.inputs, layer.inputs, layer.outputs});
    }
    return all;
}

std::set<std::string> untimed_operations_of(const NetworkConfig& config) {
    constexpr std::array kTimed = {op::kEmbedding, op::kFlatten,   op::kLinear,
                                   op::kBatchnorm, op::kLayernorm, op::kCrossEntropy};
    std::set<std::string> untimed;
    for (const Operation& one : operations(config)) {
        if (!simd::activation_of(one.op) && std::ranges::find(kTimed, one.op) == kTimed.end()) {
            untimed.insert(one.op);
        }
    }
    return untimed;
}

std::string name_of(const OperationShape& shape) {
    switch (shape.operation) {
        case TimedOperation::linear_forward:
            return "linear forward";
        case TimedOperation::linear_weight_backward:
            return "linear dW";
        case TimedOperation::linear_input_backward:
            return "linear dx";
        case TimedOperation::norm_forward:
            return "batchnorm forward";
        case TimedOperation::norm_backward:
            return "batchnorm backward";
        case TimedOperation::layernorm_forward:
            return "layernorm forward";
        case TimedOperation::layernorm_backward:
            return "layernorm backward";
        case TimedOperation::activation_forward:
            return shape.activation + " forward";
        case TimedOperation::activation_backward:
            return shape.activation + " backward";
        case TimedOperation::exp_forward:
            return "exp";
        case TimedOperation::cross_entropy:
            return "cross-entropy";
        case TimedOperation::embedding_forward:
            return "embedding gather";
        case TimedOperation::embedding_backward:
            return "embedding scatter";
        case TimedOperation::update:
            return "update";
    }
    return "";
}

OperationInput input_of(const OperationShape& shape) {
    std::mt19937 bits(1);
    const auto& [operation, n, in, out, has_bias, activation] = shape;
    OperationInput input{.shape = shape,
                         .x = numbers(bits, n * in),
                         .W = numbers(bits, in * out),
                         .gain = numbers(bits, out),
                         .bias = numbers(bits, out),
                         .dy = numbers(bits, n * out),
                         .indices = std::vector<std::int64_t>(n)};
    for (std::int64_t& index : input.indices) {
        index = static_cast<std::int64_t>(bits() % in);
    }
    return input;
}

double flops_of(const OperationShape& shape) {
    const Work work = work_of(shape);
    return work.numbers == 0 ? work.flops : 0;
}

OperationTimes operation_times(const OperationOfStep& what, const torch_ref::Factory* torch, std::size_t rounds,
                               std::size_t threads, std::span<const peers::Peer> peers) {
    OperationTimes times{.recipe = "", .what = what, .rounds = {}, .peers = {}};
    const OperationInput input = input_of(what.shape);
    const PreparedOperation ours = by_hand(input);
    PreparedOperation theirs;
    if (torch != nullptr) {
        theirs = torch->prepared(input);
    }
    std::vector<PreparedOperation> others;
    if (flops_of(what.shape) > 0) {
        for (const peers::Peer& peer : peers) {
            times.peers.push_back({peer.name});
            others.push_back(peer.prepared(input));
        }
    }
    std::vector<Steps> peer_steps;
    peer_steps.reserve(others.size());
    for (const PreparedOperation& other : others) {
        peer_steps.push_back(steps_of(other));
    }
    times.rounds = in_turn(steps_of(ours), torch != nullptr ? steps_of(theirs) : nullptr, rounds, threads, peer_steps);
    const std::vector<float> result = ours.result();
    if (torch != nullptr) {
        times.apart = relative_difference(result, theirs.result());
    }
    for (std::size_t i = 0; i < others.size(); ++i) {
        times.peers[i].apart = relative_difference(result, others[i].result());
    }
    add_times(times.peers, times.rounds);
    times.pass = pass_seconds(work_of(what.shape), rounds);
    return times;
}

}  // namespace byhand::bench
