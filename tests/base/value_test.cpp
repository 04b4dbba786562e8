#include "base/value.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "base/network.h"

using namespace byhand;

TEST_CASE("value: names are composed and parsed") {
    struct Case {
        const char* name;
        Value value;
    };
    for (const auto& [name, value] : {Case{"h", {ValueKind::value, "h", 0}},
                                      {"hprebn.1", {ValueKind::value, "hprebn", 1}},
                                      {"bndiff2", {ValueKind::value, "bndiff2", 0}},
                                      {"bndiff2.13", {ValueKind::value, "bndiff2", 13}},
                                      {"W12", {ValueKind::value, "W", 12}},
                                      {"db3", {ValueKind::gradient, "b", 3}},
                                      {"dbndiff2.3", {ValueKind::gradient, "bndiff2", 3}},
                                      {"dC", {ValueKind::gradient, "C", 0}},
                                      {"new_bnvar_running", {ValueKind::updated, "bnvar_running", 0}},
                                      {"new_W1", {ValueKind::updated, "W", 1}},
                                      {"exp_avg_W12", {ValueKind::value, "exp_avg_W", 12}},
                                      {"new_exp_avg_sq_b1", {ValueKind::updated, "exp_avg_sq_b", 1}},
                                      {"momentum_bngain.2", {ValueKind::value, "momentum_bngain", 2}},
                                      {"momentum_C", {ValueKind::value, "momentum_C", 0}},
                                      {"eval_logits", {ValueKind::evaluated, "logits", 0}},
                                      {"eval_h.2", {ValueKind::evaluated, "h", 2}}}) {
        CAPTURE(name);
        CHECK(value_of(name) == value);
        CHECK(value.name() == name);
    }
}

TEST_CASE("value: names that are no value's round-trip unchanged") {
    for (const char* name : {"", "d", "new_", "eval_", ".3", "d.3", "W", "W0", "W01", "h.", "h.0", "h.x", "h.1.2",
                             "W.2", "12", "d7", "h.99999999999999999999999", "new_new_W1"}) {
        CAPTURE(name);
        CHECK(value_of(name).name() == name);
    }
}

TEST_CASE("value: derived names, and back") {
    CHECK(gradient_of("h.2") == "dh.2");
    CHECK(update_of("W1") == "new_W1");
    CHECK(evaluation_of("logits") == "eval_logits");
    for (const char* name : {"h.2", "dh.2", "new_h.2", "eval_h.2"}) {
        CHECK(without_kind(name) == "h.2");
    }
    CHECK(without_kind("d") == "d");
}

TEST_CASE("value: optimizer state is named after its role and its parameter") {
    CHECK(of_parameter("exp_avg_sq", "W12") == "exp_avg_sq_W12");
    for (const char* parameter : {"C", "W12", "bngain.2"}) {
        const std::string name = of_parameter("exp_avg", parameter);
        CHECK(role_of(name) == "exp_avg");
        CHECK(without_role(name) == parameter);
    }
    CHECK(role_of("W1").empty());
    CHECK(without_role("W1") == "W1");
}

TEST_CASE("value: names of state and forward values are not parsed as gradients") {
    const NetworkConfig config = with_layers(
        {.norm = {}, .optimizer = {.kind = OptimizerKind::adamw}},
        {{"linear", 7}, {"batchnorm"}, {"dropout"}, {"tanh"}, {"linear", 5}, {"layernorm"}, {"linear"}, {"rmsnorm"}});
    for (const TensorSpec& spec : state(config)) {
        INFO(spec.name);
        CHECK(value_of(spec.name).kind == ValueKind::value);
    }
    for (const Operation& one : operations(config)) {
        INFO(one.output);
        CHECK(value_of(one.input).kind == ValueKind::value);
        CHECK(value_of(one.output).kind == ValueKind::value);
    }
}
