// Every activation between linears and norms, held against LibTorch's own.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>
#include <vector>

#include "harness/alone.h"
#include "harness/compare.h"
#include "harness/gradcheck.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "torch_ref/answers.h"
#include "torch_ref/example.h"
#include "torch_ref/near.h"
#include "torch_ref/stepwise.h"

using namespace byhand;

namespace {

constexpr std::size_t kRows = 9;

// The activation before a norm, behind one and on the output, beside a tanh.
NetworkConfig network(const std::string& activation) {
    OperationConfig f{activation};
    f.negative_slope = 0.3;
    return with_layers(example::small_network({}), {{"linear", 7},
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

}  // namespace

TEST_CASE("activations: every value and gradient by hand is LibTorch's, in all forms") {
    for (const char* activation : op::kActivations) {
        INFO(activation);
        const example::Example example = example::make(network(activation), kRows);
        const auto torch = torch_ref::stepwise(example.config, kRows, DType::float32);
        torch->load(example.state);
        torch->run(example.batch(), 0.25F);
        const std::vector<View> theirs = torch->views();
        for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
            const Graph graph = hand_graph(form, example.config, kRows);
            const auto hand = make_step_side(graph);
            hand->load(example.state);
            hand->run(example.batch(), 0.25F);
            std::size_t compared = 0;
            for (const View& view : hand->views()) {
                if (const View* other = find(theirs, view.name)) {
                    near::check(view.name, near::values(view), near::values(*other), 1e-4, 1e-7);
                    ++compared;
                }
            }
            CHECK(compared > 40);
        }
    }
}

TEST_CASE("activations: each step in isolation is right in float, and its gradients agree with finite differences") {
    for (const char* activation : op::kActivations) {
        INFO(activation);
        const example::Example example = example::make(network(activation), kRows);
        const auto reference = torch_ref::stepwise(example.config, kRows, DType::float32);
        const auto answers = torch_ref::answers(HandForm::stepwise, example.config, kRows);
        reference->load(example.state);
        const float rate = 0.25F;
        reference->run(example.batch(), rate);
        const Graph graph = stepwise_graph(example.config, kRows);
        Questions questions(with_inputs(reference->views(), example.batch(), example.config.context, &rate),
                            example.config.vocabulary, 3, graph.ranges);
        for (const StepAlone& step : run_alone(graph, {.right = graph}, *answers, questions)) {
            INFO(step.makes);
            CHECK_FALSE(step.wrong());
        }
        for (const CheckedGradient& gradient : gradcheck(graph, example.state, example.batch(), {.elements = 12})) {
            INFO(gradient.name);
            CHECK(agrees(gradient.verdict));
        }
    }
}
