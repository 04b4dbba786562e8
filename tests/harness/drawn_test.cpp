#include "harness/drawn.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <set>

#include "manual/networks.h"

using namespace byhand;

TEST_CASE("drawn: the state to check at has no 0 and no 1, positive figures are positive, and seeds differ") {
    NetworkConfig config = networks::small({31, 7}, 11);
    config.norm.output = true;
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
