#include "lab/operation.h"

#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "lab/tests/read.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinRel;

TEST_CASE("operation: the loss of two rows, worked out by hand, in every form and on every type") {
    // p = 1/4 of 1/4, 1/2, 1/4 for the first row, 2/3 of 1/3, 2/3, 0+ for the second.
    const Numbers<double> in{{{"logits", {0, std::log(2), 0, 0, std::log(2), -200}}}, {0, 1}};
    for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
        const Graph graph = operation_graph(op::kCrossEntropy, {}, 2, 3, form);
        const Numbers<double> made = forward_and_backward(graph, in);
        CHECK_THAT(made["loss"].at(0), WithinRel((std::log(4) + std::log(1.5)) / 2, 1e-14));
        CHECK_THAT(made["dlogits"].at(0), WithinRel((0.25 - 1) / 2, 1e-14));
        CHECK_THAT(made["dlogits"].at(3), WithinRel(1.0 / 6, 1e-14));
        const InFloat ours = in_float(graph, in);
        CHECK(std::abs(static_cast<double>(ours.made["loss"].at(0)) - made["loss"].at(0)) <=
              ours.bounds["loss"].at(0).any_order());
    }
    CHECK(operation_graph(op::kCrossEntropy, {}, 2, 3).forward.size() == 8);
}

TEST_CASE("operation: a batch norm has an update and evaluates by running statistics, a layer norm neither") {
    const Graph norm = operation_graph(op::kBatchnorm, {.momentum = 0.25, .epsilon = 0}, 3, 1);
    Numbers<double> in{
        {{"hprebn", {1, 2, 6}}, {"bngain", {2}}, {"bnbias", {-1}}, {"bnmean_running", {7}}, {"bnvar_running", {4}}}};
    run(norm.forward, in);
    run(norm.update, in);
    run(norm.evaluation, in);
    CHECK(in["new_bnmean_running"].at(0) == 0.75 * 7 + 0.25 * 3);
    CHECK(in["new_bnvar_running"].at(0) == 0.75 * 4 + 0.25 * 7);  // (4 + 1 + 9)/2
    CHECK(in["eval_hpreact"] == std::vector<double>{-7, -6, -2});
    const Graph layer = operation_graph(op::kLayernorm, {}, 3, 2);
    CHECK(layer.update.empty());
    CHECK(layer.evaluation.empty());
}

TEST_CASE("operation: a value that is neither given nor made is an error") {
    Numbers<float> in{{{"hprebn", {1, 2, 6}}, {"bngain", {2}}}};
    CHECK_THROWS_AS(run(operation_graph(op::kBatchnorm, {}, 3, 1).forward, in), std::out_of_range);
    if (lab_test::setting().torch != nullptr) {
        const auto torch = lab_test::setting().torch->single_operation(op::kBatchnorm, {}, 3, 1);
        CHECK_THROWS_AS(evaluate(*torch, "hpreact", as<double>(in)), std::out_of_range);
    }
}
