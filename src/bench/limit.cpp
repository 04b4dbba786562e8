#include "bench/limit.h"

#include <algorithm>
#include <string_view>

#include "base/tensors.h"
#include "bench/flops.h"
#include "bench/rounds.h"
#include "manual/panels.h"
#include "manual/simd/peak.h"

namespace byhand::bench {
namespace {

// `each`: multiplications for one number.
Work arrays(std::size_t numbers, std::size_t reads, std::size_t writes, double each) {
    return {2 * each * static_cast<double>(numbers), numbers, reads, writes};
}

// An activation's multiplications for each number, and what it writes in the forward pass: its result, and the
// derivative if it stores that.
struct ActivationWork {
    std::string_view activation;
    double forward = 0, backward = 0;
    std::size_t writes = 1;
};
constexpr ActivationWork kActivationWork[] = {{"tanh", 7, 2},          {"sigmoid", 10, 2}, {"relu"},
                                              {"leaky_relu", 1, 1, 2}, {"gelu", 15, 1, 2}, {"gelu_tanh", 20, 1, 2},
                                              {"silu", 13, 1, 2}};

ActivationWork work_of(std::string_view activation) {
    return *std::ranges::find(kActivationWork, activation, &ActivationWork::activation);
}

}  // namespace

Work work_of(const OperationShape& shape) {
    const std::size_t numbers = shape.n * padded(shape.in);
    switch (shape.operation) {
        case TimedOperation::linear_forward:
        case TimedOperation::linear_weight_backward:
        case TimedOperation::linear_input_backward:
            return {.flops = product_flops(shape.n, shape.in, shape.out)};
        case TimedOperation::norm_forward:
        case TimedOperation::layernorm_forward:
            return arrays(numbers, 1, 2, 3);  // (x − μ)², x̂, γ·x̂
        case TimedOperation::norm_backward:
        case TimedOperation::layernorm_backward:
            return arrays(numbers, 2, 1, 3);  // dy·x̂ for dγ and for dx, and its scale
        case TimedOperation::activation_forward:
            return arrays(numbers, 1, work_of(shape.activation).writes, work_of(shape.activation).forward);
        case TimedOperation::activation_backward:
            return arrays(numbers, 2, 1, work_of(shape.activation).backward);
        case TimedOperation::exp_forward:
            return arrays(numbers, 1, 1, 10);
        case TimedOperation::cross_entropy:
            return arrays(numbers, 1, 1, 11);  // an exponential, and its share of the sum
        case TimedOperation::embedding_forward:
            return arrays(padded(shape.n * shape.out), 1, 1, 0);
        case TimedOperation::embedding_backward:
            return arrays(padded(shape.n * shape.out), 1, 0, 0);
        case TimedOperation::update:
            return arrays(shape.in * padded(shape.out), 2, 1, 1);
    }
    return {};
}

double pass_seconds(const Work& work, std::size_t rounds) {
    if (work.numbers == 0) {
        return 0;
    }
    AlignedVector<float> arrays(std::max(work.reads, work.writes) * work.numbers);
    const Steps passes = [&](std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) {
            simd::pass(arrays.data(), work.reads, work.writes, work.numbers);
        }
    };
    return spread(in_turn(passes, nullptr, rounds).ours.seconds).median;
}

double limit_of(const Work& work, double pass, const Machine& machine) {
    return std::max(pass, work.flops / machine.peak_gflops * 1e-9);
}

}  // namespace byhand::bench
