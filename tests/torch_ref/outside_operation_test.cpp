// An operation added from outside: my_softplus, log(1 + e^x), by other formulas than src's. This file contains
// everything it requires; the network with it is compared, gradchecked and explained like any other.
#include <ATen/TensorOperators.h>
#include <ATen/ops/softplus.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "byhand/rounded.h"
#include "checks/gradcheck.h"
#include "fast/models.h"
#include "harness/end_to_end/compare_views.h"
#include "harness/explain.h"
#include "harness/isolated/isolated.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "torch_ref/example.h"
#include "torch_ref/near.h"
#include "torch_ref/stepwise.h"

using namespace byhand;

namespace {

// ---- handwritten ----

// h = log(1 + e^x) = max(x, 0) + log(1 + e^−|x|)
template <class T>
void my_softplus_forward(T* h, const T* x, std::size_t count) {
    using std::exp, std::log;
    for (std::size_t i = 0; i < count; ++i) {
        const bool positive = T{0} < x[i];
        h[i] = (positive ? x[i] : T{0}) + log(T{1} + exp(positive ? -x[i] : x[i]));
    }
}

// dx = dh/(1 + e^−x)
template <class T>
void my_softplus_backward(T* dx, const T* dh, const T* x, std::size_t count) {
    using std::exp;
    for (std::size_t i = 0; i < count; ++i) {
        const bool positive = T{0} < x[i];
        const T small = exp(positive ? -x[i] : x[i]);  // e^−|x|
        dx[i] = dh[i] * ((positive ? T{1} : small) / (T{1} + small));
    }
}

// With e^x instead of e^−x.
template <class T>
void wrong_backward(T* dx, const T* dh, const T* x, std::size_t count) {
    using std::exp;
    for (std::size_t i = 0; i < count; ++i) {
        dx[i] = dh[i] / (T{1} + exp(x[i]));
    }
}

const std::vector<GlossaryRow> kRows = {
    {.value = "hpreact", .axes = {Axis::row, Axis::unit}, .meaning = "what the layer hands to its softplus"}};

void forward(StepList& f, const Site& at) {
    add(f, at.y(), at.wide(), {at.x()}, BYHAND_FUNCTION(my_softplus_forward), count(at.wide()));
}

void backward(StepList& b, const Site& at) {
    add(b, at.dx(), at.wide(), {at.dy(), at.x()}, BYHAND_FUNCTION(my_softplus_backward), count(at.wide()));
}

void ranges(ValueRanges& ranges, const Site& at) {
    ranges[at.y()] = kNotNegative;
}

HandOperations by_hand() {
    HandOperation softplus{.op = "my_softplus", .forward = forward, .backward = backward};
    softplus.ranges = ranges;
    softplus.glossary = kRows;
    HandOperations all = {softplus};
    all.insert(all.end(), hand_operations().begin(), hand_operations().end());
    return all;
}

// ---- in LibTorch ----

void append(torch_ref::TorchSteps& steps, const torch_ref::Site& site) {
    steps.push_back(
        {site.y(), site.wide(), {site.x()}, [](torch_ref::TensorReads r) { return at::softplus(r[0], 1, 40); }});
}

torch_ref::TorchOperations by_torch() {
    torch_ref::TorchOperations all = torch_ref::torch_operations();
    all.push_back({"my_softplus", append});
    return all;
}

// Together with a tanh, a norm, and a linear without an activation.
NetworkConfig network() {
    return with_layers(example::small_network({7}), {{"linear", 7},
                                                     {"batchnorm"},
                                                     {"my_softplus"},
                                                     {"linear", 4, false},
                                                     {"linear", 5},
                                                     {"tanh"},
                                                     {"linear"},
                                                     {"my_softplus"}});
}

constexpr std::size_t kRowsOfBatch = 9;

}  // namespace

TEST_CASE("outside operation: every handwritten value and gradient equals LibTorch's, in float and in double") {
    const example::Example example = example::make(network(), kRowsOfBatch);
    for (const DType dtype : {DType::float32, DType::float64}) {
        const auto torch = torch_ref::stepwise(example.config, kRowsOfBatch, dtype, by_torch());
        const std::vector<View> theirs = example::views_after(*torch, example);
        for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
            const Graph graph = hand_graph(form, example.config, kRowsOfBatch, by_hand());
            const auto hand = make_step_model(graph, Keep::all);  // in float
            const std::vector<View> ours = example::views_after(*hand, example);
            std::size_t compared = 0;
            for (const View& view : ours) {
                if (const View* other = find(theirs, view.name)) {
                    near::check(view.name, near::values(view), near::values(*other), 1e-4, 1e-7);
                    ++compared;
                }
            }
            CHECK(compared > 40);
            if (form == HandForm::stepwise) {
                CHECK(compared == theirs.size());
                CHECK(find(ours, "eval_h.1") != nullptr);
                CHECK(find(ours, "dhpreact.4") != nullptr);
            }
        }
    }
}

TEST_CASE("outside operation: its steps are checked in isolation, and a wrong one is the root cause") {
    const example::Example example = example::make(network(), kRowsOfBatch);
    const auto reference = torch_ref::stepwise(example.config, kRowsOfBatch, DType::float32, by_torch());
    const float rate = 0.25F;
    const std::vector<View> values = example::views_after(*reference, example, rate);
    const Graph right = hand_graph(HandForm::stepwise, example.config, kRowsOfBatch, by_hand());
    const Isolation isolation{.right = {right, torch_ref::reference_operations(HandForm::stepwise, example.config,
                                                                               kRowsOfBatch, by_torch())}};
    Graph wrong = right;
    for (Step& step : wrong.backward) {
        if (step.makes == "dhpreact.1") {
            step.in_float = bound("wrong_backward", wrong_backward<float>, count(step.shape));
        }
    }
    for (const Graph* graph : {&right, &std::as_const(wrong)}) {
        StepInputs inputs(with_inputs(values, example.batch(), example.config.context, &rate),
                          example.config.vocabulary, 3, right.ranges);
        std::vector<std::string> culprits;
        for (const IsolatedStep& step : run_isolated(*graph, isolation, inputs)) {
            if (step.wrong()) {
                culprits.push_back(step.makes);
            }
        }
        CHECK(culprits == (graph == &wrong ? std::vector<std::string>{"dhpreact.1"} : std::vector<std::string>{}));
    }
}

TEST_CASE("outside operation: its gradients agree with finite differences, and a wrong one does not") {
    const example::Example example = example::make(network(), kRowsOfBatch);
    Graph graph = hand_graph(HandForm::stepwise, example.config, kRowsOfBatch, by_hand());
    const auto disagreeing = [&] {
        std::vector<std::string> names;
        for (const CheckedGradient& gradient : gradcheck(graph, example.state, example.batch(), {.elements = 12})) {
            if (!agrees(gradient.verdict)) {
                names.push_back(gradient.name);
            }
        }
        return names;
    };
    CHECK(disagreeing().empty());
    for (Step& step : graph.backward) {
        if (step.makes == "dhpreact.1") {
            step.in_double = bound("wrong_backward", wrong_backward<double>, count(step.shape));
        }
    }
    CHECK(!disagreeing().empty());
}

TEST_CASE("outside operation: explain shows its rows") {
    const std::vector<Explanation> all =
        explain(hand_graph(HandForm::stepwise, network(), kRowsOfBatch, by_hand()), {});
    const auto dx = std::ranges::find(all, "dhpreact.1", &Explanation::name);
    REQUIRE(dx != all.end());
    CHECK(dx->function == "my_softplus_backward");
    CHECK(dx->reads == std::vector<std::string>{"dh.1", "hpreact.1"});
    const auto x = std::ranges::find(all, "hpreact.1", &Explanation::name);
    REQUIRE(x != all.end());
    CHECK(x->meaning == "what the layer hands to its softplus");
}

TEST_CASE("outside operation: an implementation that does not know it reports an error") {
    const NetworkConfig config = network();
    CHECK_THROWS_AS(stepwise_graph(config, kRowsOfBatch), InputError);
    CHECK_THROWS_AS(make_hand_model(HandForm::fused, config, kRowsOfBatch), InputError);
    CHECK_THROWS_AS(torch_ref::stepwise(config, kRowsOfBatch, DType::float32), InputError);
    CHECK_THROWS_AS(torch_ref::reference_operations(HandForm::stepwise, config, kRowsOfBatch), InputError);
}
