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

void set_size(KernelOfStep& one, const NetworkConfig& config) {
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
    one.work.flops = 2 * one.kernel.work.multiplications * static_cast<double>(one.work.numbers);
    one.work.reads = one.kernel.work.reads;
    one.work.writes = one.kernel.work.writes;
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
        const StepKernels kernels = kernels_of({step, config, shapes});
        if (kernels.empty() || kernels.front().work.timed.empty() || step.makes == "loss") {
            continue;
        }
        KernelOfStep one{.name = kernels.front().work.timed,
                         .step = step,
                         .operation = network[step.operation],
                         .kernel = kernels.front()};
        for (const std::string& read : step.reads) {
            const auto shape = shapes.find(read);
            const auto range = graph.ranges.find(read);
            one.reads.push_back(shape != shapes.end() ? shape->second : step.shape);
            one.ranges.push_back(range != graph.ranges.end() ? range->second : ValueRange());
        }
        set_size(one, config);
        const auto like = std::ranges::find_if(all, [&](const KernelOfStep& other) { return are_alike(one, other); });
        if (like != all.end()) {
            ++like->times;
            continue;
        }
        all.push_back(std::move(one));
    }
    return all;
}

}  // namespace byhand::bench
