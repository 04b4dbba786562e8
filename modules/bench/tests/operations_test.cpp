#include "bench/operations.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/short_form.h"
#include "bench/budget.h"
#include "judge/finding.h"
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

bench::KernelOfStep named(const std::vector<bench::KernelOfStep>& all, const std::string& name) {
    return *std::ranges::find(all, name, &bench::KernelOfStep::name);
}

// The first step of that name in deep(), with a number added to an element of the result.
PackedOperation off_by(const TimedStep& step, float error) {
    std::vector<Operand<float>> operands;
    for (const View& read : step.reads) {
        operands.emplace_back(static_cast<const float*>(read.data));
    }
    const PackedOperation right = named(bench::timed_steps(deep(), 3), step.name).kernel.pack(operands);
    return {right.run, [right, error](float* to) {
                right.unpack(to);
                to[7] += error;
            }};
}

}  // namespace

TEST_CASE("operations: all operations of a step are listed, equal shapes together") {
    std::string all;
    double flops = 0;
    for (const bench::KernelOfStep& one : bench::timed_steps(deep(), 5)) {
        all += fmt::format("{} {}×{}→{} {}, ", one.name, one.rows, one.in, one.out, one.times);
        flops += one.is_product() ? static_cast<double>(one.times) * one.work.flops : 0;
        CHECK(one.has_bias == (one.name == "linear forward" && one.out == 27));
    }
    CHECK(flops == bench::step_flops(deep(), 5));
    CHECK(all ==
          "embedding gather 15×27→4 1, linear forward 5×12→9 1, batchnorm forward 5×9→9 3, tanh forward 5×9→9 3, "
          "linear forward 5×9→9 2, linear forward 5×9→27 1, exp 5×27→27 1, cross-entropy 5×27→27 1, "
          "linear dx 5×9→27 1, linear dW 5×9→27 1, tanh backward 5×9→9 3, batchnorm backward 5×9→9 3, "
          "linear dx 5×9→9 2, linear dW 5×9→9 2, linear dx 5×12→9 1, linear dW 5×12→9 1, embedding scatter 15×27→4 1, "
          "update 12×12→9 1, update 9×9→9 2, update 9×9→27 1, ");
}

TEST_CASE("operations: a tied linear and an optimizer are timed as weights of their own and plain descent") {
    NetworkConfig config;
    config.layers = {{"linear", 2}, {"gelu"}, {.op = "linear", .tied = true}};
    config.optimizer.kind = OptimizerKind::adamw;
    const std::vector<bench::KernelOfStep> all = bench::timed_steps(config, 5);
    CHECK(named(all, "linear dx").out == 27);
    CHECK(named(all, "update").rows == 6);
    // A GELU stores its derivative, by which the backward pass multiplies; a ReLU multiplies by nothing.
    CHECK(named(all, "gelu forward").work.writes == 2);
    CHECK(named(all, "gelu backward").work.flops == 2 * 5 * 16);
    CHECK(bench::untimed_operations_of(config, all).empty());
    config.layers[1].op = "relu";
    CHECK(named(bench::timed_steps(config, 5), "relu forward").work.writes == 1);
    CHECK(named(bench::timed_steps(config, 5), "relu backward").work.flops == 0);
    config.layers[1].op = "softplus";
    CHECK(bench::untimed_operations_of(config, bench::timed_steps(config, 5)) == std::set<std::string>{"softplus"});
}

TEST_CASE("operations: each kernel computes its step's formula, however often it runs") {
    std::vector<NetworkConfig> networks(2, deep());
    networks[0].norm.affine = false;
    networks[1].context = 4;
    networks[1].layers = layers_of({.hidden = {9, 50}, .flatten = 2, .norm = "rmsnorm"});
    for (const char* activation : {"tanh", "sigmoid", "relu", "leaky_relu", "gelu", "gelu_tanh", "silu"}) {
        for (const char* norm : {"batchnorm", "layernorm", "rmsnorm"}) {
            NetworkConfig& network = networks.emplace_back(deep());
            network.layers = layers_of({.hidden = {19, 19}, .activation = activation, .residual = true, .norm = norm});
            network.layers.insert(network.layers.end() - 1, {.op = "dropout"});
            network.norm.affine = std::string(activation) != "sigmoid";
        }
    }
    for (const NetworkConfig& network : networks) {
        for (const bench::KernelOfStep& one : bench::timed_steps(network, 33)) {
            INFO(one.name);
            const bench::RandomInputs inputs(one);
            std::vector<float> expected(count(one.step.shape)), made(expected), again(expected);
            one.step.in_float.run(expected.data(), inputs.operands);
            const PackedOperation packed = one.kernel.pack(inputs.operands);
            packed.run();
            packed.unpack(made.data());
            CHECK(largest_difference(made, expected) <=
                  1e-5 * largest_difference(expected, std::vector<float>(expected.size())));
            packed.run();
            packed.run();
            packed.unpack(again.data());
            CHECK((again == made) == (one.name != "update"));  // which goes on
        }
    }
}

TEST_CASE("operations: the results of both implementations are compared") {
    torch_ref::Factory other{};
    other.packed = [](const TimedStep& step) { return off_by(step, 0); };
    const bench::KernelOfStep tanh = named(bench::timed_steps(deep(), 3), "tanh forward");
    const bench::OperationTimes same = bench::operation_times(tanh, &other, 2, 1);
    CHECK(same.apart == 0);
    CHECK(same.rounds.theirs.seconds.size() == 2);
    other.packed = [](const TimedStep& step) { return off_by(step, 0.01F); };
    CHECK(bench::operation_times(tanh, &other, 2, 1).apart > 1e-3);
    CHECK(bench::operation_times(tanh, nullptr, 2, 1).rounds.theirs.seconds.empty());
}

TEST_CASE("operations: peers take turns with the products, and their results are compared") {
    const auto peer_off_by = [](float error) {
        const auto packed = [error](const TimedStep& step) { return off_by(step, error); };
        return peers::Peer{.name = "Other", .packed = packed, .products = {}};
    };
    const std::vector<peers::Peer> right = {peer_off_by(0), peer_off_by(0)},
                                   wrong = {peer_off_by(0), peer_off_by(0.01F)};
    const std::vector<bench::KernelOfStep> all = bench::timed_steps(deep(), 3);
    const bench::KernelOfStep product = named(all, "linear dx");
    const bench::OperationTimes times = bench::operation_times(product, nullptr, 3, 1, right);
    REQUIRE(times.rounds.peers.size() == 2);
    CHECK(times.rounds.peers[1].seconds.size() == 3);
    CHECK(times.rounds.theirs.seconds.empty());
    CHECK(times.peers[1].name == "Other");
    CHECK(times.peers[1].apart == 0);
    CHECK(bench::operation_times(product, nullptr, 2, 1, wrong).peers[0].apart == 0);
    CHECK(bench::operation_times(product, nullptr, 2, 1, wrong).peers[1].apart > 1e-4);
    CHECK(bench::operation_times(named(all, "tanh forward"), nullptr, 2, 1, right).rounds.peers.empty());
}

TEST_CASE("operations: a table of the products by the peers") {
    bench::OperationTimes times{.recipe = "wide",
                                .what = {.name = "linear dW", .rows = 10, .in = 20, .out = 30, .times = 4},
                                .rounds = {},
                                .peers = {}};
    times.rounds.ours.seconds = {2e-6, 2e-6, 2e-6};
    times.rounds.peers = {{{5e-6, 5e-6, 5e-6}}, {{1e-6, 1e-6, 1e-6}}};
    times.peers = {{"First"}, {"Second"}};
    bench::add_times(times.peers, times.rounds);
    bench::OperationTimes other = times;
    other.what.name = "tanh forward";
    other.peers.clear();
    other.rounds.peers.clear();
    const Document document = bench::document_of(bench::Machine(), {times, other});
    CHECK_THAT(to_text(document), ContainsSubstring("  product, µs  by hand  First  Second  best\n"
                                                    "  dW 10×20→30     2.00   5.00    1.00  0.50\n\n"));
    const Json& peers = document.data.at("operations").at(0).at("peers");
    CHECK_THAT(peers.at("First").at("us").at("median").get<double>(), WithinAbs(5, 1e-9));
    CHECK_THAT(peers.at("Second").at("ratio").at("median").get<double>(), WithinAbs(0.5, 1e-9));
}

TEST_CASE("operations: as text and as JSON") {
    bench::Machine machine;
    machine.peak_gflops = 100;
    bench::OperationTimes times{
        .recipe = "wide",
        .what = {.name = "linear forward", .rows = 10, .in = 20, .out = 30, .work = {.flops = 12'000}, .times = 4},
        .rounds = {},
        .peers = {}};
    times.rounds.ours.seconds = {1e-6, 2e-6, 3e-6};
    const Json alone = bench::document_of(machine, {times}).data.at("operations").at(0);
    CHECK(alone.at("torch_us").is_null());
    CHECK(alone.at("ratio").is_null());
    times.rounds.theirs.seconds = {4e-6, 4e-6, 6e-6};
    const Json one = bench::document_of(machine, {times}).data.at("operations").at(0);
    CHECK(one.at("operation").get<std::string>() == "linear forward");
    CHECK(one.at("times").get<int>() == 4);
    CHECK_THAT(one.at("us").at("median").get<double>(), WithinAbs(2, 1e-9));
    CHECK_THAT(one.at("ratio").at("median").get<double>(), WithinAbs(2, 1e-9));
    CHECK_THAT(one.at("gflops").get<double>(), WithinAbs(6, 1e-9));
    CHECK_THAT(one.at("fraction_of_peak").get<double>(), WithinAbs(0.06, 1e-9));
    CHECK(to_text(bench::document_of(machine, {times})).find("10×20→30, 4 times") != std::string::npos);
}
