// Every gradient has the rule that it follows from.
#include "harness/rules.h"

#include <catch2/catch_test_macros.hpp>

#include "manual/networks.h"
#include "manual/stepwise.h"

using namespace byhand;

TEST_CASE("rules: each gradient of a network, deep or not, and of the formulas in one the two that there are") {
    NetworkConfig deep = networks::small({5, 3});
    deep.norm.output = true;
    for (const NetworkConfig& config : {NetworkConfig{}, deep}) {
        const Graph network = stepwise_graph(config, 3);
        for (const Step& step : network.backward) {
            INFO(step.makes);
            CHECK_FALSE(rule(step.makes).empty());
        }
        for (const Step& step : network.forward) {
            CHECK(rule(step.makes).empty());
        }
    }
    CHECK(rule("dW3") == rule("dW1"));
    CHECK(rule("dbnvar.2") == rule("dbnvar"));
    CHECK(rule("dhprebn", true) != rule("dhprebn"));
    CHECK(rule("dlogits", true) != rule("dlogits"));
    CHECK_FALSE(rule("dlogits", true).empty());
    CHECK(rule("dh", true).empty());
    CHECK(rule("dbndiff2") != rule("dbndiff"));  // the 2 is no layer's
    CHECK(rule("").empty());
}
