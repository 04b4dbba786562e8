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

namespace {

// In a document.
Document listed(const Agreement& one) {
    Document document;
    add_agreements(document, "", {one});
    return document;
}
std::vector<Cell> row_of(const Agreement& one) {
    return std::get<Table>(listed(one).blocks.at(0)).rows.at(0);
}

}  // namespace

TEST_CASE("operation: the loss of two rows, worked out by hand, in every form and on every type") {
    // p = 1/4 of 1/4, 1/2, 1/4 for the first row, 2/3 of 1/3, 2/3, 0+ for the second.
    Tensors<double> in;
    in.put({"logits", {2, 3}}, std::vector<double>{0, std::log(2), 0, 0, std::log(2), -200});
    in.put({"Y", {2}}, std::vector<std::int64_t>{0, 1});
    for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
        const Graph graph = operation_graph(op::kCrossEntropy, {}, 2, 3, form);
        const Tensors<double> made = forward_and_backward(graph, in);
        CHECK_THAT(made["loss"][0], WithinRel((std::log(4) + std::log(1.5)) / 2, 1e-14));
        CHECK_THAT(made["dlogits"][0], WithinRel((0.25 - 1) / 2, 1e-14));
        CHECK_THAT(made["dlogits"][3], WithinRel(1.0 / 6, 1e-14));
        const InFloat ours = in_float(graph, in);
        CHECK(std::abs(static_cast<double>(ours.made["loss"][0]) - made["loss"][0]) <=
              ours.bounds["loss"][0].any_order());
    }
    CHECK(operation_graph(op::kCrossEntropy, {}, 2, 3).forward.size() == 8);
}

TEST_CASE("operation: a batch norm has an update and evaluates by running statistics, a layer norm neither") {
    const Graph norm = operation_graph(op::kBatchnorm, {.momentum = 0.25, .epsilon = 0}, 3, 1);
    Tensors<double> in = batchnorm_inputs({1, 2, 6}, {1, 1, 1}, {2}, {-1});
    in.put({"bnmean_running", {1}}, std::vector<double>{7});
    in.put({"bnvar_running", {1}}, std::vector<double>{4});
    run(norm.forward, in);
    run(norm.update, in);
    run(norm.evaluation, in);
    CHECK(in["new_bnmean_running"][0] == 0.75 * 7 + 0.25 * 3);
    CHECK(in["new_bnvar_running"][0] == 0.75 * 4 + 0.25 * 7);  // (4 + 1 + 9)/2
    CHECK(in.copy_of("eval_hpreact") == std::vector<double>{-7, -6, -2});
    const Graph layer = operation_graph(op::kLayernorm, {}, 3, 2);
    CHECK(layer.update.empty());
    CHECK(layer.evaluation.empty());
}

TEST_CASE("operation: a value that is neither given nor made is an error") {
    Tensors<float> in(batchnorm_inputs({1, 2, 6}, {1, 1, 1}, {2}, {-1}));
    in.keep([](const std::string& name) { return name != "bnbias"; });
    CHECK_THROWS_AS(run(operation_graph(op::kBatchnorm, {}, 3, 1).forward, in), std::out_of_range);
    if (lab_test::setting().torch != nullptr) {
        const auto torch = lab_test::setting().torch->single_operation(op::kBatchnorm, {}, 3, 1);
        CHECK_THROWS_AS(evaluate(*torch, "hpreact", Tensors<double>(in)), std::out_of_range);
    }
}

TEST_CASE("agreement: what rounding explains agrees, and no more") {
    const std::vector<Rounded> bounds = {Rounded(1.0F) / Rounded(3.0F), Rounded(2.0F)};
    const float third = 1.0F / 3.0F;
    CHECK(listed(agreement("x", {third, 2.0F}, bounds, {1.0 / 3, 2.0})).agrees);
    const Agreement off = agreement("x", {third, 2.0F}, bounds, {1.0 / 3 + 1e-6, 2.0});
    CHECK(off.finding.verdict == Verdict::mismatch);
    CHECK(off.finding.used > 1);
    CHECK(off.difference > 0.9e-6);
    // 2 is exact: nothing but itself agrees.
    CHECK_FALSE(listed(agreement("x", {third, std::nextafter(2.0F, 3.0F)}, bounds, {1.0 / 3, 2.0})).agrees);
}

TEST_CASE("agreement: without a limit equal numbers agree, others are out of range") {
    for (const double none : {std::nan(""), static_cast<double>(INFINITY)}) {
        const std::vector<Rounded> bounds = {Rounded::off_by(0, none), Rounded(2.0F)};
        CHECK(listed(agreement("x", {0.0F, 2.0F}, bounds, {0.0, 2.0})).agrees);
        const Agreement out_of_range = agreement("x", {0.0F, 2.0F}, bounds, {1e-9, 2.0});
        CHECK(out_of_range.finding.used == 0);
        CHECK(out_of_range.difference == 1e-9);
        CHECK_FALSE(listed(out_of_range).agrees);
        CHECK(row_of(out_of_range).back().shown == "out of range");
        const Agreement wrong = agreement("x", {0.0F, 2.0F}, bounds, {1e-9, 2.5});
        CHECK_FALSE(listed(wrong).agrees);
        CHECK(row_of(wrong).back().shown == "DISAGREES");
        CHECK(fails(agreement("x", {0.0F, 2.0F}, bounds, {std::nan(""), 2.0}).finding.verdict));
    }
}

TEST_CASE("agreement: a NaN never agrees, whatever the limit") {
    const std::vector<Rounded> bounds = {Rounded(1.0F)};
    const Agreement off = agreement("x", {std::nanf(""), 1.0F}, {1.0F, 1.0F}, {1.0, 1.5});
    CHECK(fails(off.finding.verdict));
    CHECK(std::isnan(off.difference));  // it stays the largest
    CHECK(row_of(off).at(2).shown == "nan %");
    CHECK(fails(agreement("x", {1.0F}, bounds, {std::nan("")}).finding.verdict));
    CHECK_THROWS_AS(agreement("x", {1.0F, 2.0F}, bounds, {1.0, 2.0}), std::logic_error);
}
