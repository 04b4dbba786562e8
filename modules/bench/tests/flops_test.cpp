#include <catch2/catch_test_macros.hpp>

#include "bench/budget.h"

using namespace byhand;

TEST_CASE("flops: a step, worked out by hand") {
    // T·E = 3·2 = 6 inputs, 100 units, 27 characters, 32 rows:
    //   each product of layer 1 has 32·6·100 = 19,200 terms, of layer 2 32·100·27 = 86,400,
    //   three of each, two FLOP per term: 2·3·(19,200 + 86,400) = 633,600.
    NetworkConfig config;
    CHECK(bench::step_flops(config, 32) == 633'600);
    // A norm, its place and the biases change nothing.
    config.norm.place = NormPlace::none;
    config.hidden_bias = false;
    CHECK(bench::step_flops(config, 32) == 633'600);
}

TEST_CASE("flops: every layer counts") {
    // 2·1 = 2 inputs, 3 and 5 units, 7 characters, one row: (2·3 + 3·5 + 5·7) = 56 terms per product, 2·3·56 = 336.
    NetworkConfig config;
    config.context = 2;
    config.embedding = 1;
    config.hidden = {3, 5};
    config.vocabulary = 7;
    CHECK(bench::step_flops(config, 1) == 336);
    CHECK(bench::step_flops(config, 10) == 3360);
}

TEST_CASE("flops: one product") {
    CHECK(bench::product_flops(2, 3, 5) == 60);
}
