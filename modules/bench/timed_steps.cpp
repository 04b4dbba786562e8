#include "bench/timed_steps.h"

#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "bench/budget.h"
#include "fast/panels.h"
#include "fast/pieces.h"

namespace byhand::bench {
namespace {

// How the steps with a function of one name are timed: what the timing is called (base/timed_step.h), the
// multiplications for each number of an array in the formulas of fast/simd, and how many arrays are read and written. A
// product has no arrays.
struct TimedFunction {
    const char* name = nullptr;
    double multiplications = 0;
    std::size_t reads = 0, writes = 0;
};

// A norm's whole pass is named as its timing is. Some activations also store their derivative.
const std::map<std::string, TimedFunction> kTimedFunctions = {
    {"embedding_forward", {"embedding gather", 0, 1, 1}},
    {"embedding_backward", {"embedding scatter", 0, 1, 0}},
    {"linear_forward", {"linear forward"}},
    {"matmul_forward", {"linear forward"}},
    {"linear_input_backward", {"linear dx"}},
    {"linear_weight_backward", {"linear dW"}},
    {"batchnorm forward", {"batchnorm forward", 3, 1, 2}},  // (x − μ)², x̂, γ·x̂
    {"layernorm forward", {"layernorm forward", 3, 1, 2}},
    {"rmsnorm forward", {"rmsnorm forward", 3, 1, 2}},
    {"batchnorm backward", {"batchnorm backward", 3, 2, 1}},  // dy·x̂ for dγ and for dx, and its scale
    {"layernorm backward", {"layernorm backward", 3, 2, 1}},
    {"rmsnorm backward", {"rmsnorm backward", 3, 2, 1}},
    {"tanh_forward", {"tanh forward", 7, 1, 1}},
    {"tanh_backward", {"tanh backward", 2, 2, 1}},
    {"sigmoid_forward", {"sigmoid forward", 10, 1, 1}},
    {"sigmoid_backward", {"sigmoid backward", 2, 2, 1}},
    {"relu_forward", {"relu forward", 0, 1, 1}},
    {"relu_backward", {"relu backward", 0, 2, 1}},
    {"leaky_relu_forward", {"leaky_relu forward", 1, 1, 2}},
    {"leaky_relu_backward", {"leaky_relu backward", 1, 2, 1}},
    {"gelu_forward", {"gelu forward", 15, 1, 2}},
    {"gelu_backward", {"gelu backward", 1, 2, 1}},
    {"gelu_tanh_forward", {"gelu_tanh forward", 20, 1, 2}},
    {"gelu_tanh_backward", {"gelu_tanh backward", 1, 2, 1}},
    {"silu_forward", {"silu forward", 13, 1, 2}},
    {"silu_backward", {"silu backward", 1, 2, 1}},
    {"residual_forward", {"residual forward", 0, 2, 1}},
    {"dropout_forward", {"dropout forward", 1, 2, 1}},
    {"dropout_backward", {"dropout backward", 1, 2, 1}},
    {"softmax_exp", {"exp", 10, 1, 1}},
    {"cross_entropy_with_gradient", {"cross-entropy", 11, 1, 1}},  // an exponential, and its share of the sum
    {"descend", {"update", 1, 2, 1}}};

// The steps themselves, of a sum its terms.
StepList terms_of(const StepList& steps) {
    StepList all;
    for (const Step& step : steps) {
        const StepList one = {step};
        std::ranges::copy(step.terms.empty() ? one : step.terms, std::back_inserter(all));
    }
    return all;
}

// Several steps as one, which computes the result of the last.
Step joined(const StepList& steps, std::string name) {
    Step whole;
    whole.makes = steps.back().makes;
    whole.shape = steps.back().shape;
    whole.operation = steps.back().operation;
    whole.in_float.name = std::move(name);
    std::set<std::string> known;
    for (const Step& step : steps) {
        std::ranges::copy_if(step.reads, std::back_inserter(whole.reads),
                             [&](const std::string& read) { return known.insert(read).second; });
        known.insert(step.makes);
    }
    whole.in_float.run = [steps, reads = whole.reads](float* out, Reads<float> given) {
        std::map<std::string, std::vector<float>> made;
        for (const Step& step : steps) {
            std::vector<float> result(count(step.shape));
            execute(step, result.data(), [&](const std::string& read) -> Operand<float> {
                const auto at = std::ranges::find(reads, read);
                return at == reads.end() ? made.at(read).data() : given[static_cast<std::size_t>(at - reads.begin())];
            });
            made[step.makes] = std::move(result);
        }
        std::ranges::copy(made.at(steps.back().makes), out);
    };
    return whole;
}

// The steps of each norm as one, in the place of its first.
StepList with_whole_norms(const StepList& steps, const std::vector<Operation>& network, const std::string& pass) {
    StepList all;
    std::set<std::size_t> norms;
    for (const Step& step : steps) {
        const std::string& op = network[step.operation].op;
        if (!is_norm(op)) {
            all.push_back(step);
        } else if (norms.insert(step.operation).second) {
            StepList own;
            std::ranges::copy_if(steps, std::back_inserter(own),
                                 [&](const Step& other) { return other.operation == step.operation; });
            all.push_back(joined(own, op + pass));
        }
    }
    return all;
}

void set_product(KernelOfStep& one) {
    const Shape& W = one.name == "linear dW" ? one.step.shape : one.reads[1];
    std::tie(one.rows, one.in, one.out) = std::tuple(one.reads[0][0], W[0], W[1]);
    one.has_bias = one.reads.size() == 3;
    one.work.flops = product_flops(one.rows, one.in, one.out);
}

void set_size(KernelOfStep& one, const NetworkConfig& config, const TimedFunction& timing) {
    if (one.name.starts_with("linear")) {
        set_product(one);
        return;
    }
    const bool is_embedding = one.name.starts_with("embedding");
    const Shape& shape = is_embedding && one.step.shape.size() == 2 ? one.reads[0] : one.step.shape;  // demb
    one.out = shape.back();
    one.rows = count(shape) / one.out;
    one.in = is_embedding ? config.vocabulary : one.name == "update" ? one.rows : one.out;
    one.work.numbers = is_embedding ? padded(one.rows * one.out) : one.rows * padded(one.out);
    one.work.flops = 2 * timing.multiplications * static_cast<double>(one.work.numbers);
    one.work.reads = timing.reads;
    one.work.writes = timing.writes;
}

bool are_alike(const KernelOfStep& a, const KernelOfStep& b) {
    return std::tie(a.name, a.rows, a.in, a.out, a.has_bias) == std::tie(b.name, b.rows, b.in, b.out, b.has_bias);
}

}  // namespace

std::vector<KernelOfStep> timed_steps(NetworkConfig config, std::size_t rows) {
    config.optimizer = {};
    for (OperationConfig& one : config.layers) {
        one.tied = false;
    }
    const Graph graph = fused_formulas(config, rows);
    const std::vector<Operation> network = operations(config);
    StepList steps = with_whole_norms(graph.forward, network, " forward");
    std::ranges::move(with_whole_norms(terms_of(graph.backward), network, " backward"), std::back_inserter(steps));
    std::ranges::copy_if(graph.update, std::back_inserter(steps), [&](const Step& step) {
        return network[step.operation].op == op::kLinear && step.shape.size() == 2;
    });
    const std::map<std::string, Shape> shapes = shapes_of(graph);
    std::vector<KernelOfStep> all;
    for (const Step& step : steps) {
        const auto timing = kTimedFunctions.find(step.in_float.name);
        if (timing == kTimedFunctions.end() || step.makes == "loss") {
            continue;
        }
        KernelOfStep one{.name = timing->second.name, .step = step, .operation = network[step.operation]};
        for (const std::string& read : step.reads) {
            const auto shape = shapes.find(read);
            const auto range = graph.ranges.find(read);
            one.reads.push_back(shape != shapes.end() ? shape->second : step.shape);
            one.ranges.push_back(range != graph.ranges.end() ? range->second : ValueRange());
        }
        set_size(one, config, timing->second);
        const auto like = std::ranges::find_if(all, [&](const KernelOfStep& other) { return are_alike(one, other); });
        if (like != all.end()) {
            ++like->times;
            continue;
        }
        one.kernel = kernels_of({step, config, shapes}).front();
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace byhand::bench
