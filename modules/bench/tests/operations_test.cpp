#include "bench/operations.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/parsed_json.h"
#include "bench/budget.h"
#include "report/writers.h"

using namespace byhand;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinAbs;

namespace {

NetworkConfig deep() {
    NetworkConfig config;
    config.embedding = 4;
    test::set(config, &ShortForm::hidden, {9, 9, 9});
    test::set(config, &ShortForm::hidden_bias, false);
    return config;
}

std::size_t times(const std::vector<bench::OperationOfStep>& all, const OperationShape& shape) {
    const auto found = std::ranges::find(all, shape, &bench::OperationOfStep::shape);
    return found == all.end() ? 0 : found->times;
}

}  // namespace

TEST_CASE("operations: all operations of a step are listed, equal shapes together") {
    const std::vector<bench::OperationOfStep> all = bench::operations_of(deep(), 5);
    CHECK(times(all, {TimedOperation::embedding_forward, 15, 27, 4}) == 1);
    CHECK(times(all, {TimedOperation::linear_forward, 5, 12, 9}) == 1);
    CHECK(times(all, {TimedOperation::linear_forward, 5, 9, 9}) == 2);
    CHECK(times(all, {TimedOperation::linear_forward, 5, 9, 27, true}) == 1);
    CHECK(times(all, {TimedOperation::linear_input_backward, 5, 12, 9}) == 1);
    CHECK(times(all, {TimedOperation::norm_forward, 5, 9, 9}) == 3);
    CHECK(times(all, {TimedOperation::norm_backward, 5, 9, 9}) == 3);
    CHECK(times(all, {TimedOperation::activation_backward, 5, 9, 9}) == 3);
    CHECK(times(all, {TimedOperation::cross_entropy, 5, 27, 27}) == 1);
    CHECK(times(all, {TimedOperation::update, 9, 9, 27}) == 1);
    double flops = 0;
    for (const bench::OperationOfStep& one : all) {
        flops += static_cast<double>(one.times) * bench::flops_of(one.shape);
    }
    CHECK(flops == bench::step_flops(deep(), 5));
}

TEST_CASE("operations: each handwritten operation computes its formula") {
    const auto made = [](const OperationInput& input) {
        const PreparedOperation operation = bench::by_hand(input);
        operation.run();
        operation.run();
        return operation.result();
    };
    const auto near = [](float a, double b) { return std::abs(static_cast<double>(a) - b) < 1e-5; };

    OperationInput linear = bench::input_of({TimedOperation::linear_forward, 1, 2, 1, true});
    linear.x = {2, 3};
    linear.W = {5, 7};
    linear.bias = {11};
    CHECK(made(linear) == std::vector<float>{42});
    linear.shape.bias = false;
    CHECK(made(linear) == std::vector<float>{31});
    linear.shape.operation = TimedOperation::linear_weight_backward;
    linear.dy = {4};
    CHECK(made(linear) == std::vector<float>{8, 12});
    linear.shape.operation = TimedOperation::linear_input_backward;
    CHECK(made(linear) == std::vector<float>{20, 28});

    OperationInput one = bench::input_of({TimedOperation::activation_forward, 1, 1, 1});
    one.x = {0.5F};
    one.dy = {2};
    one.W = {3};
    CHECK(near(made(one).front(), std::tanh(0.5)));
    one.shape.operation = TimedOperation::activation_backward;
    CHECK(near(made(one).front(), 2 * (1 - std::pow(std::tanh(0.5), 2))));
    one.shape.activation = "leaky_relu";
    one.x = {-0.5F};
    CHECK(near(made(one).front(), 0.01 * 2));
    one.shape.operation = TimedOperation::activation_forward;
    CHECK(near(made(one).front(), -0.01 * 0.5));
    one.x = {0.5F};
    one.shape.operation = TimedOperation::exp_forward;
    CHECK(near(made(one).front(), std::exp(0.5)));
    one.shape.operation = TimedOperation::update;
    CHECK(near(made(one).front(), 3 - 0.001 * 2));  // once, however often it ran

    OperationInput norm = bench::input_of({TimedOperation::norm_forward, 2, 1, 1});
    norm.x = {1, 3};
    norm.gain = {2};
    norm.bias = {10};
    norm.dy = {1, 1};
    CHECK(near(made(norm).front() - 8, 1e-5));
    norm.shape.operation = TimedOperation::norm_backward;
    CHECK(near(made(norm).front(), 0));  // a shift of all rows has no effect

    OperationInput layernorm = bench::input_of({TimedOperation::layernorm_forward, 1, 2, 2});
    layernorm.x = {1, 3};
    layernorm.gain = {2, 4};
    layernorm.bias = {10, 20};
    layernorm.dy = {3, 1.5F};  // times γ, the same: a shift of the row, which has no effect
    CHECK_THAT(made(layernorm).back() - 24, WithinAbs(0, 1e-4));
    layernorm.shape.operation = TimedOperation::layernorm_backward;
    CHECK(near(made(layernorm).front(), 0));

    OperationInput rows = bench::input_of({TimedOperation::embedding_forward, 2, 3, 2});
    rows.W = {1, 2, 3, 4, 5, 6};
    rows.indices = {2, 2};
    rows.dy = {1, 2, 3, 4};
    CHECK(made(rows) == std::vector<float>{5, 6, 5, 6});
    rows.shape.operation = TimedOperation::embedding_backward;
    CHECK(made(rows) == std::vector<float>{0, 0, 0, 0, 4, 6});

    OperationInput loss = bench::input_of({TimedOperation::cross_entropy, 1, 2, 2});
    loss.x = {0, 0};
    loss.indices = {1};
    CHECK(made(loss) == std::vector<float>{0.5F, -0.5F});
}

TEST_CASE("operations: the results of both implementations are compared") {
    torch_ref::Factory other{};
    other.prepared = bench::by_hand;
    const bench::OperationOfStep tanh{{TimedOperation::activation_forward, 3, 5, 5}, 1};
    const bench::OperationTimes same = bench::operation_times(tanh, &other, 2, 1);
    CHECK(same.apart == 0);
    CHECK(same.rounds.theirs.seconds.size() == 2);
    other.prepared = [](const OperationInput& input) {
        OperationInput changed = input;
        changed.x[7] += 0.01F;
        return bench::by_hand(changed);
    };
    CHECK(bench::operation_times(tanh, &other, 2, 1).apart > 1e-3);
    CHECK(bench::operation_times(tanh, nullptr, 2, 1).rounds.theirs.seconds.empty());
}

TEST_CASE("operations: peers take turns with the products, and their results are compared") {
    const auto peer_off_by = [](float error) {
        return peers::Peer{.name = "Other",
                           .prepared =
                               [error](const OperationInput& input) {
                                   OperationInput changed = input;
                                   changed.W[4] += error;
                                   return bench::by_hand(changed);
                               },
                           .products = {}};
    };
    const std::vector<peers::Peer> right = {peer_off_by(0), peer_off_by(0)},
                                   wrong = {peer_off_by(0), peer_off_by(0.01F)};
    const bench::OperationOfStep product{{TimedOperation::linear_input_backward, 3, 5, 7}, 1};
    const bench::OperationTimes times = bench::operation_times(product, nullptr, 3, 1, right);
    REQUIRE(times.rounds.peers.size() == 2);
    CHECK(times.rounds.peers[1].seconds.size() == 3);
    CHECK(times.rounds.theirs.seconds.empty());
    CHECK(times.peers[1].name == "Other");
    CHECK(times.peers[1].apart == 0);
    CHECK(bench::operation_times(product, nullptr, 2, 1, wrong).peers[0].apart == 0);
    CHECK(bench::operation_times(product, nullptr, 2, 1, wrong).peers[1].apart > 1e-4);
    const bench::OperationOfStep tanh{{TimedOperation::activation_forward, 3, 5, 5}, 1};
    CHECK(bench::operation_times(tanh, nullptr, 2, 1, right).rounds.peers.empty());
}

TEST_CASE("operations: a table of the products by the peers") {
    bench::OperationTimes times{
        .recipe = "wide", .what = {{TimedOperation::linear_weight_backward, 10, 20, 30}, 4}, .rounds = {}, .peers = {}};
    times.rounds.ours.seconds = {2e-6, 2e-6, 2e-6};
    times.rounds.peers = {{{5e-6, 5e-6, 5e-6}, 1}, {{1e-6, 1e-6, 1e-6}, 1}};
    times.peers = {{"First"}, {"Second"}};
    bench::add_times(times.peers, times.rounds);
    bench::OperationTimes other = times;
    other.what.shape.operation = TimedOperation::activation_forward;
    other.peers.clear();
    other.rounds.peers.clear();
    const Document document = bench::document_of(bench::Machine(), {times, other});
    CHECK_THAT(to_text(document), ContainsSubstring("  product, µs  by hand  First  Second  best\n"
                                                    "  dW 10×20→30     2.00   5.00    1.00  0.50\n\n"));
    const Json peers = text::parsed_json(printed_json(document.data, 0)).at("operations").at(0).at("peers");
    CHECK_THAT(peers.at("First").at("us").at("median").get<double>(), WithinAbs(5, 1e-9));
    CHECK_THAT(peers.at("Second").at("ratio").at("median").get<double>(), WithinAbs(0.5, 1e-9));
}

TEST_CASE("operations: as text and as JSON") {
    bench::Machine machine;
    machine.peak_gflops = 100;
    bench::OperationTimes times{
        .recipe = "wide", .what = {{TimedOperation::linear_forward, 10, 20, 30, true}, 4}, .rounds = {}, .peers = {}};
    times.rounds.ours.seconds = {1e-6, 2e-6, 3e-6};
    const auto alone =
        text::parsed_json(printed_json(bench::document_of(machine, {times}).data, 0)).at("operations").at(0);
    CHECK(alone.at("torch_us").is_null());
    CHECK(alone.at("ratio").is_null());
    times.rounds.theirs.seconds = {4e-6, 4e-6, 6e-6};
    const auto one =
        text::parsed_json(printed_json(bench::document_of(machine, {times}).data, 0)).at("operations").at(0);
    CHECK(one.at("operation").get<std::string>() == "linear forward");
    CHECK(one.at("times").get<int>() == 4);
    CHECK_THAT(one.at("us").at("median").get<double>(), WithinAbs(2, 1e-9));
    CHECK_THAT(one.at("ratio").at("median").get<double>(), WithinAbs(2, 1e-9));
    CHECK_THAT(one.at("gflops").get<double>(), WithinAbs(6, 1e-9));
    CHECK_THAT(one.at("fraction_of_peak").get<double>(), WithinAbs(0.06, 1e-9));
    CHECK(to_text(bench::document_of(machine, {times})).find("10×20→30, 4 times") != std::string::npos);
}
