#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/report.h"
#include "harness/results.h"

using namespace byhand;
using nlohmann::json;
using test::everything;
using test::exact;
using test::missing;
using test::step_of;
using test::within;

namespace {

json report(const std::vector<ComparedStep>& steps, const Filter& filter = everything) {
    Summary summary;
    for (const ComparedStep& step : steps) {
        add(summary, step);
    }
    return json::parse(to_json({"notes", "1.13.0"}, summary, steps, filter));
}

}  // namespace

TEST_CASE("the report as JSON has every field of the contract") {
    ComparedStep second = step_of(5, {within("dW1", {2, 3}, 2e-5, 4e-5)}, "fused", "module");
    const json j = report({step_of(0, {exact("loss", {})}), second});
    CHECK(j["verdict"] == "agree");
    CHECK(j["first_divergence"].is_null());
    CHECK(j["culprits"] == json::array());
    CHECK(j["victims"] == json::array());
    CHECK(j["recipe"] == "notes");
    CHECK(j["torch"] == "1.13.0");
    REQUIRE(j["steps"].size() == 2);
    CHECK(j["steps"][0]["step"] == 0);
    CHECK(j["steps"][1]["step"] == 5);
    CHECK(j["steps"][0]["loss"] == json{{"manual", 3.25}, {"torch", 3.5}});
    REQUIRE(j["steps"][1]["tensors"].size() == 1);

    const json t = j["steps"][1]["tensors"][0];
    CHECK(t["name"] == "dW1");
    CHECK(t["model"] == "fused");
    CHECK(t["witness"] == "module");
    CHECK(t["shape"] == json({2, 3}));
    CHECK(t["count"] == 6);
    CHECK(t["bit_equal"] == false);
    CHECK(t["max_abs_diff"] == 2e-5);
    CHECK(t["max_ulp"] == 12);
    CHECK(t["worst"] ==
          json{{"index", {1, 2}}, {"where", nullptr}, {"manual", 0.5}, {"torch", -0.25}, {"oracle", 0.125}});
    CHECK(t["error_manual"] == 3e-9);
    CHECK(t["error_torch"] == 4e-9);
    CHECK(t["limit"] == 4e-5);
    CHECK(t["verdict"] == "within");

    const json loss = j["steps"][0]["tensors"][0];
    CHECK(loss["shape"] == json::array());
    CHECK(loss["count"] == 1);
    CHECK(loss["bit_equal"] == true);
    CHECK(loss["max_abs_diff"] == 0.0);
    CHECK(loss["worst"]["index"] == json::array());
    CHECK(loss["verdict"] == "exact");
}

TEST_CASE("what is not known is null") {
    const json j = report({step_of(0, {missing("dh")})});
    CHECK(j["verdict"] == "disagree");
    CHECK(j["first_divergence"] == "dh");
    const json t = j["steps"][0]["tensors"][0];
    CHECK(t["verdict"] == "missing");
    CHECK(t["note"] == "LibTorch's side has none");
    for (const char* key : {"bit_equal", "max_abs_diff", "max_ulp", "worst", "error_manual", "error_torch", "limit"}) {
        REQUIRE(t.contains(key));
        CHECK(t[key].is_null());
    }
    TensorResult no_oracle = exact("C", {2});
    no_oracle.worst->oracle.reset();
    no_oracle.error_manual.reset();
    const json u = report({step_of(0, {no_oracle})})["steps"][0]["tensors"][0];
    CHECK(u["worst"]["oracle"].is_null());
    CHECK(u["error_manual"].is_null());
    CHECK(u["note"].is_null());
}

TEST_CASE("what is not finite is a string") {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();
    TensorResult r = within("h", {2}, 1, 1);
    r.worst = Worst{1, kNaN, kInf, -kInf};
    r.error_manual = kInf;
    r.error_torch = kNaN;
    r.verdict = Verdict::non_finite;
    ComparedStep step = step_of(0, {r});
    step.loss_manual = kNaN;
    step.loss_torch = -kInf;
    const json j = report({step});
    CHECK(j["steps"][0]["loss"] == json{{"manual", "nan"}, {"torch", "-inf"}});
    const json t = j["steps"][0]["tensors"][0];
    CHECK(t["worst"]["manual"] == "nan");
    CHECK(t["worst"]["torch"] == "inf");
    CHECK(t["worst"]["oracle"] == "-inf");
    CHECK(t["error_manual"] == "inf");
    CHECK(t["error_torch"] == "nan");
    CHECK(t["verdict"] == "non-finite");
}

TEST_CASE("numbers keep their value") {
    TensorResult r = within("h", {2}, 1.0 / 3, 1);
    r.worst->manual = 0.1F;
    r.worst->torch = 5e-324;
    r.max_ulp = 18446744073709551615U;
    const json t = report({step_of(0, {r})})["steps"][0]["tensors"][0];
    CHECK(t["max_abs_diff"].get<double>() == 1.0 / 3);
    CHECK(t["worst"]["manual"].get<double>() == static_cast<double>(0.1F));
    CHECK(t["worst"]["torch"].get<double>() == 5e-324);
    CHECK(t["max_ulp"].get<std::uint64_t>() == 18446744073709551615U);
}

TEST_CASE("the filter takes out tensors, not the verdict on them") {
    const json j = report({step_of(0, {within("C", {2}, 2, 1), exact("dC", {2})})},
                          [](const std::string& name) { return name == "dC"; });
    CHECK(j["verdict"] == "disagree");
    CHECK(j["first_divergence"] == "C");
    REQUIRE(j["steps"][0]["tensors"].size() == 1);
    CHECK(j["steps"][0]["tensors"][0]["name"] == "dC");
}

TEST_CASE("a report of no steps is a report") {
    CHECK(report({})["steps"] == json::array());
}
