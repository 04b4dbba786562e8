#include <algorithm>
#include <iterator>

#include "base/network.h"
#include "base/tensors.h"
#include "bench/budget.h"
#include "bench/rounds.h"
#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/simd/targets.h"

namespace byhand::bench {
namespace {

// `each`: multiplications for one number.
Work arrays(std::size_t numbers, std::size_t reads, std::size_t writes, double each) {
    return {2 * each * static_cast<double>(numbers), numbers, reads, writes};
}

// An activation's multiplications for each number, in the order of simd::Activation.
struct Multiplications {
    double forward = 0, backward = 0;
};
constexpr Multiplications kMultiplications[] = {{7, 2}, {10, 2}, {0, 0}, {1, 1}, {15, 1}, {20, 1}, {13, 1}};
static_assert(std::size(kMultiplications) == simd::kActivationCount);

Work activation_work(const OperationShape& shape, std::size_t numbers) {
    const simd::Activation f = simd::activation_of(shape.activation).value();
    const Multiplications& each = kMultiplications[static_cast<std::size_t>(f)];
    if (shape.operation == TimedOperation::activation_forward) {
        return arrays(numbers, 1, simd::stores_derivative(f) ? 2 : 1, each.forward);
    }
    return arrays(numbers, 2, 1, each.backward);
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
        case TimedOperation::activation_backward:
            return activation_work(shape, numbers);
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
