// Every operation that `layers` can list, combined with others, compared with LibTorch's own.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/gradcheck.h"
#include "harness/end_to_end/compare_views.h"
#include "harness/isolated/isolated.h"
#include "manual/models.h"
#include "manual/operation.h"
#include "manual/stepwise.h"
#include "torch_ref/example.h"
#include "torch_ref/module.h"
#include "torch_ref/near.h"
#include "torch_ref/operation.h"
#include "torch_ref/stepwise.h"

using namespace byhand;

namespace {

constexpr std::size_t kRows = 9;

struct Case {
    std::string operation;
    NetworkConfig network;
};

// Each activation before a norm, after one and on the output, together with a tanh; each norm in the first layer, after
// an activation and on the output, with and without γ and β, with its own ε.
std::vector<Case> cases() {
    std::vector<Case> all;
    const auto add = [&all](const std::string& operation, std::vector<OperationConfig> layers) {
        all.push_back({operation, with_layers(example::small_network({7}), std::move(layers))});
    };
    for (const std::string& activation : activations()) {
        OperationConfig f{activation};
        f.negative_slope = 0.3;
        add(activation, {{"linear", 7},
                         {"batchnorm"},
                         f,
                         {"linear", 4, false},
                         f,
                         {"batchnorm"},
                         {"linear", 5},
                         {"tanh"},
                         {"linear"},
                         f});
    }
    OperationConfig pairs{op::kFlatten}, all_three{op::kFlatten};
    pairs.positions = 2;
    all_three.positions = 3;
    add(op::kFlatten, {pairs,
                       {"linear", 7, false},
                       {"batchnorm"},
                       {"tanh"},
                       {"linear", 5},
                       {"layernorm"},
                       all_three,
                       {"linear", 4},
                       {"tanh"},
                       {"batchnorm"},
                       {"linear"}});
    all.back().network.context = 6;
    const auto adds = [](std::size_t from) {
        OperationConfig residual{op::kResidual};
        residual.from = from;
        return residual;
    };
    OperationConfig drop{op::kDropout}, rarely{op::kDropout};
    drop.p = 0.4;
    rarely.p = 0.1;
    add(op::kDropout, {{"linear", 7},
                       drop,
                       {"tanh"},
                       {"linear", 7, false},
                       {"relu"},
                       {"batchnorm"},
                       rarely,
                       adds(2),
                       {"linear", 5},
                       {"layernorm"},
                       {"linear"},
                       drop});
    add(op::kDropout, {{"linear", 7}, {"layernorm"}, {"batchnorm"}, drop, {"tanh"}, {"linear"}});
    OperationConfig by_C{op::kLinear};
    by_C.tied = true;
    // A linear's result with three readers, a sum that is added again, one before a norm; with joined positions.
    add(op::kResidual, {{"linear", 7},
                        {"batchnorm"},
                        {"tanh"},
                        {"linear", 7, false},
                        {"relu"},
                        adds(0),
                        {"layernorm"},
                        {"linear", 7},
                        adds(5),
                        {"silu"},
                        {"linear", 7},
                        {"tanh"},
                        adds(0),
                        {"batchnorm"},
                        by_C});
    all.back().network.embedding = 7;
    add("tied", {pairs, {"linear", 5}, {"tanh"}, pairs, {"linear", 3}, {"linear", 3}, adds(4), by_C, {"layernorm"}});
    all.back().network.context = 4;
    all.back().network.embedding = 3;
    for (const char* kind : op::kNorms) {
        OperationConfig norm{kind}, plain{kind}, other{kind};
        plain.affine = false;
        plain.epsilon = 0.03;
        other.epsilon = 0.25;
        other.momentum = kind == std::string(op::kBatchnorm) ? std::optional(0.37) : std::nullopt;
        add(kind, {{"linear", 7, false},
                   norm,
                   {"relu"},
                   {"linear", 3},
                   {"silu"},
                   plain,
                   {"linear", 5},
                   plain,
                   {"tanh"},
                   {"linear"},
                   other});
    }
    return all;
}

// What rounding can add to a sum of n terms in any order, in two implementations: 2·n·2⁻²⁴ times the sum of the terms'
// magnitudes. The gradient of a bias before a batch norm is nothing else: it is 0, and its terms cancel. 0 for a value
// that is not the sum of a gradient's rows.
double rounding_of_sum(const Graph& graph, const View& value, const std::vector<View>& values) {
    const auto makes = [&](const Step& step) { return step.makes == value.name; };
    const auto step = std::ranges::find_if(graph.backward, makes);
    if (step == graph.backward.end() || step->reads.size() != 1 || value.shape.size() != 1) {
        return 0;
    }
    const std::vector<double> terms = near::values(values, step->reads[0]);
    const std::size_t columns = value.shape[0], rows = terms.size() / columns;
    std::vector<double> sums(columns);
    for (std::size_t i = 0; i < terms.size(); ++i) {
        sums[i % columns] += std::fabs(terms[i]);
    }
    return 2 * static_cast<double>(rows) * std::ldexp(std::ranges::max(sums), -24);
}

}  // namespace

TEST_CASE("each operation: every handwritten value and gradient equals LibTorch's, in all forms") {
    for (const auto& [operation, network] : cases()) {
        INFO(operation);
        const example::Example example = example::make(network, kRows);
        const auto torch = torch_ref::stepwise(example.config, kRows, DType::float32);
        const std::vector<View> theirs = example::views_after(*torch, example);
        const Graph steps = stepwise_graph(example.config, kRows);
        for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
            const Graph graph = hand_graph(form, example.config, kRows);
            const auto hand = make_step_model(graph, Keep::all);
            std::size_t compared = 0;
            for (const View& view : example::views_after(*hand, example)) {
                if (const View* other = find(theirs, view.name)) {
                    near::check(view.name, near::values(view), near::values(*other), 1e-4,
                                1e-7 + rounding_of_sum(steps, view, theirs));
                    ++compared;
                }
            }
            CHECK(compared > 40);
        }
    }
}

TEST_CASE("each operation: the handwritten ones and LibTorch's are the same") {
    const auto& theirs = torch_ref::torch_operations();
    CHECK(std::ranges::equal(hand_operations(), theirs, {}, &HandOperation::op, &torch_ref::TorchOperation::op));
    CHECK(listed_operations().size() + 2 == theirs.size());
}

TEST_CASE("each operation: each isolated step is right in float, and its gradients agree with finite differences") {
    for (const auto& [operation, network] : cases()) {
        INFO(operation);
        const example::Example example = example::make(network, kRows);
        const auto reference = torch_ref::stepwise(example.config, kRows, DType::float32);
        const Isolation isolation{
            .right = {stepwise_graph(example.config, kRows),
                      torch_ref::reference_operations(HandForm::stepwise, example.config, kRows)}};
        const float rate = 0.25F;
        const Graph& graph = isolation.right.graph;
        StepInputs inputs(with_inputs(example::views_after(*reference, example, rate), example.batch(),
                                      example.config.context, &rate),
                          example.config.vocabulary, 3, graph.ranges);
        for (const IsolatedStep& step : run_isolated(graph, isolation, inputs)) {
            INFO(step.makes);
            CHECK_FALSE(step.wrong());
        }
        for (const CheckedGradient& gradient : gradcheck(graph, example.state, example.batch(), {.elements = 12})) {
            INFO(gradient.name);
            CHECK(agrees(gradient.verdict));
        }
    }
}

TEST_CASE("each operation: the module's values and gradients are those of the single steps") {
    for (const auto& [operation, network] : cases()) {
        INFO(operation);
        const example::Example example = example::make(network, kRows);
        const auto steps = torch_ref::stepwise(example.config, kRows, DType::float32);
        const auto module = torch_ref::module_model(example.config, kRows, Keep::all);
        const std::vector<View> expected = example::views_after(*steps, example);
        std::size_t compared = 0;
        for (const View& view : example::views_after(*module, example)) {
            near::check(view.name, near::values(view), near::values(expected, view.name), 1e-4, 1e-7);
            ++compared;
        }
        CHECK(compared > 40);
    }
}
