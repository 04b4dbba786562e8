#include "bench/operations.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "bench/budget.h"
#include "judge/finding.h"
#include "names/random.h"

namespace byhand::bench {
namespace {

// Uniform in [−1, 1), or for values that are all of one sign in [1, 2) or [−2, −1). All are multiples of 2⁻²³, so that
// no product of a few of them is subnormal, which would take longer.
std::vector<float> random_numbers(std::mt19937& bits, std::size_t size, const ValueRange& range) {
    constexpr int kUnused = 8;  // float has 24 bits
    const float middle = range.low >= 0 ? 1.5F : range.high <= 0 ? -1.5F : 0.0F, width = middle == 0 ? 1.0F : 0.5F;
    std::vector<float> values(size);
    for (float& value : values) {
        const float number = static_cast<float>(static_cast<std::uint32_t>(bits()) >> kUnused) * 0x1p-23F - 1.0F;
        value = middle + width * number;
    }
    return values;
}

// An implementation of a step, and the result of its first run.
struct RunOnce {
    PackedOperation operation;
    std::vector<float> result;

    RunOnce(PackedOperation packed, const Shape& shape) : operation(std::move(packed)), result(count(shape)) {
        operation.run();
        operation.unpack(result.data());
    }

    Steps steps() const {
        return [this](std::size_t times) {
            for (std::size_t i = 0; i < times; ++i) {
                operation.run();
            }
        };
    }
};

// Relative to the largest magnitude of theirs.
double relative_difference(const RunOnce& ours, const RunOnce& theirs) {
    return largest_difference(ours.result, theirs.result) /
           largest_difference(theirs.result, std::vector<float>(theirs.result.size(), 0));
}

}  // namespace

RandomInputs::RandomInputs(const KernelOfStep& what) : step{what.name, what.operation, what.step.shape, {}} {
    std::mt19937 bits(1);
    for (std::size_t i = 0; i < what.reads.size(); ++i) {
        const std::string& name = what.step.reads[i];
        const Shape& shape = what.reads[i];
        if (name == "X" || name == "Y") {
            indices_.resize(count(shape));
            std::ranges::generate(indices_, [&] { return static_cast<std::int64_t>(bits() % what.in); });
            step.reads.push_back({name, shape, DType::int64, indices_.data()});
            operands.emplace_back(indices_.data());
        } else {
            const float* const data = numbers_.emplace_back(random_numbers(bits, count(shape), what.ranges[i])).data();
            step.reads.push_back({name, shape, DType::float32, data});
            operands.emplace_back(data);
        }
    }
}

std::set<std::string> untimed_operations_of(const NetworkConfig& config, std::span<const KernelOfStep> timed) {
    std::set<std::string> untimed;
    for (const Operation& one : operations(config)) {
        if (one.op != op::kFlatten &&
            std::ranges::none_of(timed, [&](const KernelOfStep& step) { return step.operation.op == one.op; })) {
            untimed.insert(one.op);
        }
    }
    return untimed;
}

OperationTimes operation_times(const KernelOfStep& what, const torch_ref::Factory* torch, std::size_t rounds,
                               std::size_t threads, std::span<const peers::Peer> peers) {
    OperationTimes times{.recipe = "", .what = what, .rounds = {}, .peers = {}};
    const RandomInputs inputs(what);
    const Shape& shape = what.step.shape;
    const RunOnce ours(what.kernel.pack(inputs.operands), shape);
    std::deque<RunOnce> others;
    std::vector<Steps> peer_steps;
    if (what.is_product()) {
        for (const peers::Peer& peer : peers) {
            const RunOnce& other = others.emplace_back(peer.packed(inputs.step), shape);
            times.peers.push_back({peer.name, relative_difference(ours, other)});
            peer_steps.push_back(other.steps());
        }
    }
    std::optional<RunOnce> theirs;
    if (torch != nullptr) {
        theirs.emplace(torch->packed(inputs.step), shape);
        times.apart = relative_difference(ours, *theirs);
    }
    times.rounds = in_turn(ours.steps(), theirs ? theirs->steps() : nullptr, rounds, threads, peer_steps);
    add_times(times.peers, times.rounds);
    times.pass = pass_seconds(what.work, rounds);
    return times;
}

}  // namespace byhand::bench
