#include "bench/budget.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <vector>

#include "base/change_network.h"
#include "report/writers.h"

using namespace byhand;
using Catch::Matchers::WithinAbs;

TEST_CASE("budget: parts are sums over the operations of a step, and the rest is what they leave") {
    const auto times = [](const char* name, const bench::Work& work, std::size_t count, double seconds) {
        bench::OperationTimes all{
            .recipe = "one", .what = {.name = name, .work = work, .times = count}, .rounds = {}, .peers = {}};
        all.rounds.ours.seconds = {seconds, 9 * seconds, seconds};
        all.pass = 4e-7;
        return all;
    };
    const bench::Work product{.flops = 12'000}, tanh{.flops = 2 * 7 * 320, .numbers = 320, .reads = 1, .writes = 1},
        loss{.flops = 2 * 11 * 320, .numbers = 320, .reads = 1, .writes = 1};
    const std::vector<bench::OperationTimes> all = {
        times("linear forward", product, 1, 5e-6), times("tanh forward", tanh, 3, 1e-6),
        times("exp", loss, 1, 7e-6),  // is part of the loss
        times("cross-entropy", loss, 1, 2e-6), times("linear dW", product, 2, 4e-6)};
    bench::Machine machine;
    machine.peak_gflops = 12;  // the products have 3 · 2 · 10 · 20 · 30 = 36,000 FLOP
    const bench::Budget budget = bench::budget_of(all, {20e-6, 19e-6, 22e-6}, machine);
    REQUIRE(budget.parts.size() == 3);
    CHECK(budget.parts[0].name == "products");
    CHECK_THAT(budget.parts[0].seconds, WithinAbs(13e-6, 1e-12));
    CHECK_THAT(budget.parts[1].seconds, WithinAbs(3e-6, 1e-12));
    CHECK_THAT(budget.parts[2].seconds, WithinAbs(2e-6, 1e-12));
    CHECK_THAT(budget.rest, WithinAbs(2e-6, 1e-12));
    CHECK_THAT(budget.parts[0].limit, WithinAbs(3e-6, 1e-12));
    // Seven multiplications for each of 10 · 32 numbers, of 6 GFLOP/s each, take 0.37 µs: less than the pass.
    CHECK_THAT(budget.parts[1].limit, WithinAbs(3 * 4e-7, 1e-12));
    CHECK_THAT(budget.parts[2].limit, WithinAbs(11 * 320 / 6e9, 1e-12));

    const Document document =
        bench::document_of(machine, all, {{"one", {20e-6, 19e-6, 22e-6}}, {"another", {1, 1, 1}}});
    CHECK(to_text(document).find("  budget      µs  of step  limit, µs\n"
                                 "  products  13.0     65 %       3.00\n"
                                 "  tanh      3.00     15 %       1.20\n"
                                 "  loss      2.00     10 %       0.59\n"
                                 "  rest      2.00     10 %          –\n"
                                 "  step      20.0    100 %          –\n") != std::string::npos);
    const Json& budgets = document.data.at("budgets");
    REQUIRE(budgets.size() == 1);
    CHECK_THAT(budgets.at(0).at("parts_us").at("products").get<double>(), WithinAbs(13, 1e-9));
    CHECK_THAT(budgets.at(0).at("rest_us").get<double>(), WithinAbs(2, 1e-9));
    CHECK_THAT(budgets.at(0).at("limits_us").at("products").get<double>(), WithinAbs(3, 1e-9));
}

TEST_CASE("flops: a step, worked out by hand, in which every layer counts") {
    CHECK(bench::product_flops(2, 3, 5) == 60);
    // T·E = 3·2 = 6 inputs, 100 units, 27 characters, 32 rows:
    //   each product of layer 1 has 32·6·100 = 19,200 terms, of layer 2 32·100·27 = 86,400,
    //   three of each, two FLOP per term: 2·3·(19,200 + 86,400) = 633,600.
    NetworkConfig config;
    CHECK(bench::step_flops(config, 32) == 633'600);
    // A norm, its place and the biases change nothing.
    test::set(config, &ShortForm::norm_place, "none");
    test::set(config, &ShortForm::hidden_bias, false);
    CHECK(bench::step_flops(config, 32) == 633'600);
    // 2·1 = 2 inputs, 3 and 5 units, 7 characters, one row: (2·3 + 3·5 + 5·7) = 56 terms per product, 2·3·56 = 336.
    config.context = 2;
    config.embedding = 1;
    test::set(config, &ShortForm::hidden, {3, 5});
    config.vocabulary = 7;
    CHECK(bench::step_flops(config, 1) == 336);
    CHECK(bench::step_flops(config, 10) == 3360);
}
