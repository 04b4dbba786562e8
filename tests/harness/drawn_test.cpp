#include "harness/drawn.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>

#include "base/change_network.h"
#include "manual/networks.h"

using namespace byhand;

TEST_CASE("drawn: the state to check at has no 0 and no 1, positive figures are positive, and seeds differ") {
    NetworkConfig config = networks::small({31, 7}, 11);
    test::set(config, &ShortForm::output_norm, true);
    const Tensors<float> state = drawn_state(config, 1), other = drawn_state(config, 2);
    for (const TensorSpec& spec : byhand::state(config)) {
        INFO(spec.name);
        std::set<float> values;
        for (const float x : state[spec.name]) {
            CHECK(std::abs(x) > 0.01F);
            CHECK(std::abs(x) < 2);
            CHECK(std::abs(std::abs(x) - 1) > 0);
            CHECK((x > 0 || (!spec.name.starts_with("bngain") && !spec.name.starts_with("bnvar"))));
            values.insert(x);
        }
        CHECK(values.size() > state[spec.name].size() * 9 / 10);
        CHECK_FALSE(std::ranges::equal(state[spec.name], other[spec.name]));
    }
}

TEST_CASE("drawn: an optimizer's state is drawn too, second moments positive, and some steps counted") {
    NetworkConfig config = networks::small({31, 7}, 11);
    const Tensors<float> plain = drawn_state(config, 1);
    config.optimizer.kind = OptimizerKind::adamw;
    const Tensors<float> state = drawn_state(config, 1);
    for (const TensorSpec& spec : plain.table()) {
        CHECK(std::ranges::equal(plain[spec.name], state[spec.name]));  // what is learned is as without it
    }
    for (const TensorSpec& spec : parameters(config)) {
        INFO(spec.name);
        CHECK(std::ranges::all_of(state["exp_avg_sq_" + spec.name], [](float x) { return x > 0.0005F && x < 0.005F; }));
        CHECK(std::ranges::none_of(state["exp_avg_" + spec.name], [](float x) { return x == 0; }));
    }
    const float steps = state["step_count"][0];
    CHECK((steps == std::floor(steps) && steps >= 2));
}
