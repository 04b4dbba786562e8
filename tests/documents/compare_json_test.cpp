#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "checks/faults/mistakes.h"
#include "documents/compare.h"
#include "harness/csv.h"
#include "harness/isolated/shrink.h"
#include "harness/results.h"
#include "report/writers.h"

using namespace byhand;
using namespace byhand::test;
using text::parsed_json;

namespace {

Json read(const std::vector<ComparedStep>& steps, const Filter& filter = everything) {
    return parsed_json(printed_json(compare_json(presentation(filter), summary_of(steps), steps), 2));
}

}  // namespace

TEST_CASE("the report as JSON has every field of the contract") {
    ComparedStep second = step_of(5, {within("dW1", {6, 5}, 2e-5, 4e-5)}, "fused", Against::module);
    const Json j = read({step_of(0, {exact("loss", {})}), second});
    CHECK(j["verdict"] == "agree");
    CHECK(j["first_divergence"].is_null());
    CHECK(j["culprits"] == Json::array());
    CHECK(j["victims"] == Json::array());
    CHECK(j["recipe"] == "notes");
    CHECK(j["torch"] == "1.13.0");
    REQUIRE(j["steps"].size() == 2);
    CHECK(j["steps"][0]["step"] == 0);
    CHECK(j["steps"][1]["step"] == 5);
    CHECK(j["steps"][0]["loss"] == Json{{"manual", 3.25}, {"torch", 3.5}});
    CHECK(j["steps"][1]["tensors"] ==
          Json::array({{{"step", 5},
                        {"name", "dW1"},
                        {"model", "fused"},
                        {"witness", "module"},
                        {"shape", {6, 5}},
                        {"count", 30},
                        {"bit_equal", false},
                        {"max_abs_diff", 2e-5},
                        {"max_ulp", 12},
                        {"worst",
                         {{"index", {5, 4}},
                          {"where", "dW1 from position 3, dimension 1 to unit 4"},
                          {"manual", 0.5},
                          {"torch", -0.25},
                          {"oracle", 0.125}}},
                        {"error_manual", 3e-9},
                        {"error_torch", 4e-9},
                        {"error_manual_ulp", 3e-9 / 0x1p-24},  // floats from 1/2 to 1 lie 2^-24 apart
                        {"error_torch_ulp", 4e-9 / 0x1p-24},
                        {"limit", 4e-5},
                        {"used", 0.5},
                        {"scale", 0.75},
                        {"torch_further_off", false},
                        {"role", nullptr},
                        {"note", nullptr},
                        {"verdict", "within"}}}));

    const Json loss = j["steps"][0]["tensors"][0];
    CHECK(loss["shape"] == Json::array());
    CHECK(loss["count"] == 1);
    CHECK(loss["bit_equal"] == true);
    CHECK(loss["max_abs_diff"] == 0.0);
    CHECK(loss["worst"]["index"] == Json::array());
    CHECK(loss["verdict"] == "exact");
}

TEST_CASE("what is not known is null") {
    const Json j = read({step_of(0, {missing("dh")})});
    CHECK(j["verdict"] == "disagree");
    CHECK(j["first_divergence"] == "dh");
    const Json t = j["steps"][0]["tensors"][0];
    CHECK(t["verdict"] == "missing");
    CHECK(t["note"] == "LibTorch has none");
    for (const char* key : {"bit_equal", "max_abs_diff", "max_ulp", "worst", "error_manual", "error_torch", "limit",
                            "used", "scale", "error_manual_ulp", "error_torch_ulp", "torch_further_off"}) {
        REQUIRE(t.contains(key));
        CHECK(t[key].is_null());
    }
    NamedFinding no_oracle = exact("C", {2});
    no_oracle.worst->right.reset();
    no_oracle.error.reset();
    const Json u = read({step_of(0, {no_oracle})})["steps"][0]["tensors"][0];
    CHECK(u["worst"]["oracle"].is_null());
    CHECK(u["error_manual"].is_null());
    CHECK(u["note"].is_null());
}

TEST_CASE("what is not finite is a string") {
    constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();
    NamedFinding r = within("h", {2}, 1, 1);
    r.worst = Worst{1, kNaN, -kInf, kInf};
    r.error = kInf;
    r.reference_error = kNaN;
    r.verdict = Verdict::non_finite;
    ComparedStep step = step_of(0, {r});
    step.loss_manual = kNaN;
    step.loss_torch = -kInf;
    const Json j = read({step});
    CHECK(j["steps"][0]["loss"] == Json{{"manual", "nan"}, {"torch", "-inf"}});
    const Json t = j["steps"][0]["tensors"][0];
    CHECK(t["worst"]["manual"] == "nan");
    CHECK(t["worst"]["torch"] == "inf");
    CHECK(t["worst"]["oracle"] == "-inf");
    CHECK(t["error_manual"] == "inf");
    CHECK(t["error_torch"] == "nan");
    CHECK(t["verdict"] == "non-finite");
}

TEST_CASE("numbers keep their value") {
    NamedFinding r = within("h", {2}, 1.0 / 3, 1);
    r.worst->ours = 0.1F;
    r.worst->reference = 5e-324;
    r.ulp = 18446744073709551615U;
    const Json t = read({step_of(0, {r})})["steps"][0]["tensors"][0];
    CHECK(t["max_abs_diff"].get<double>() == 1.0 / 3);
    CHECK(t["worst"]["manual"].get<double>() == static_cast<double>(0.1F));
    CHECK(t["worst"]["torch"].get<double>() == 5e-324);
    CHECK(t["max_ulp"].get<std::uint64_t>() == 18446744073709551615U);
}

TEST_CASE("the filter takes out tensors, not the verdict on them") {
    const Json j = read({step_of(0, {within("C", {2}, 2, 1), exact("dC", {2})})},
                        [](const std::string& name) { return name == "dC"; });
    CHECK(j["verdict"] == "disagree");
    CHECK(j["first_divergence"] == "C");
    REQUIRE(j["steps"][0]["tensors"].size() == 1);
    CHECK(j["steps"][0]["tensors"][0]["name"] == "dC");
}

TEST_CASE("an error in ULP goes by the power of two below the scale") {
    const auto ulp = [](double scale) {
        NamedFinding r = within("h", {2, 5}, 1, 1);
        r.error = 1;
        r.scale = scale;
        return read({step_of(0, {r})})["steps"][0]["tensors"][0]["error_manual_ulp"];
    };
    CHECK(ulp(1).get<double>() == 0x1p23);
    CHECK(ulp(1.99).get<double>() == 0x1p23);
    CHECK(ulp(2).get<double>() == 0x1p22);
    CHECK(ulp(0.3).get<double>() == 0x1p25);
    CHECK(ulp(0).is_null());
}

TEST_CASE("the isolated steps, and the root cause") {
    Trial off = trial(1e4);
    off.hint = "twice the right answer";
    off.mistake = find_mistake("sign-dbnvar");
    auto smallest = std::make_shared<SmallestInput>();
    smallest->right = {1};
    smallest->reads = {"bnvar"};
    smallest->values.put({"bnvar", {}}, std::vector<double>{3});
    off.smallest = smallest;
    const Json j = read({with_isolated(
        step_of(2, {within("dW1", {6, 5}, 2, 1), within("db2", {4}, 2, 1), within("dbnvar", {5}, 2, 1)}),
        {isolated("h", trial(0.25), trial(0.5)), isolated("dbnvar", off, off), isolated("dh", trial(0), trial(7))},
        {{"dW1", "dbnvar"}})});
    CHECK(j["culprits"] == Json({"dbnvar", "dh"}));
    CHECK(j["victims"] == Json({"dW1", "db2"}));
    CHECK(j["inherited"] == Json{{"dW1", "dbnvar"}, {"db2", nullptr}});
    Json blamed = j["blame"][0];
    CHECK(blamed["trial"]["mistake"] == "sign-dbnvar");
    CHECK(blamed["trial"]["smallest_input"]["values"]["bnvar"] == 3.0);
    blamed.erase("trial");
    CHECK(blamed == Json{{"name", "dbnvar"},
                         {"function", "function_of_dbnvar"},
                         {"why", "on this batch"},
                         {"without_effect", false},
                         {"hint", "twice the right answer"},
                         {"file_line", "src/manual/some.h:17"},
                         {"formula", "dbnvar = what it should be"}});
    CHECK(j["blame"][1]["without_effect"] == true);
    CHECK(j["blame"][1]["hint"].is_null());
    CHECK(j["blame"][1]["trial"]["smallest_input"].is_null());

    const Json steps = j["steps"][0]["alone"];
    REQUIRE(steps.size() == 3);
    CHECK(steps[0]["name"] == "h");
    CHECK(steps[0]["function"] == "function_of_h");
    CHECK(steps[0]["model"] == "stepwise");
    CHECK(steps[0]["verdict"] == "within");
    CHECK(steps[0]["catches"] == 4e-7);
    CHECK(steps[0]["real"]["used"] == 0.25);
    CHECK(steps[0]["real"]["limit"] == 1e-7);
    CHECK(steps[0]["real"]["error"] == 0.25 * 1e-7);
    CHECK(steps[0]["real"]["verdict"] == "within");
    CHECK(steps[0]["probe"]["used"] == 0.5);
    CHECK(steps[0]["in_double"].is_null());
    IsolatedStep only_in_double = isolated("h", trial(0.25), trial(0.5));
    only_in_double.trials.push_back(in_double(trial(9), TrialInput::batch));
    const Json told = read({with_isolated(step_of(2, {exact("C", {2})}), {only_in_double})})["steps"][0]["alone"][0];
    CHECK(told["in_double"]["used"] == 9.0);
    CHECK(told["wrong"] == true);
    CHECK(steps[0]["wrong"] == false);
    CHECK(steps[1]["verdict"] == "mismatch");
    CHECK(steps[1]["wrong"] == true);
    CHECK(steps[2]["without_effect"] == true);
    const Json none = read({step_of(0, {exact("C", {2})})});
    CHECK(none["blame"] == Json::array());
    CHECK(none["inherited"] == Json::object());
    CHECK(none["steps"][0]["alone"] == Json::array());
}

TEST_CASE("drift stands where there is some") {
    ComparedStep step = step_of(9, {exact("C", {2})});
    CHECK_FALSE(read({step})["steps"][0].contains("drift"));
    report_of(step, "fused").drift = {{"C", 1e-6, 2, false}};
    CHECK(read({step})["steps"][0]["drift"][0] ==
          Json{{"model", "fused"}, {"parameter", "C"}, {"distance", 1e-6}, {"scale", 2.0}, {"only_rounding", false}});
}

TEST_CASE("CSV: a row a tensor and step that the filter takes, every figure under its name; the header always") {
    const auto written = [](const std::vector<ComparedStep>& steps, const Filter& filter = everything) {
        return to_csv(compare_document(presentation(filter), summary_of(steps), steps, ShownRows::for_programs, {""}));
    };
    const std::vector<ComparedStep> steps = {step_of(0, {exact("loss", {})}),
                                             step_of(5, {within("dW1", {6, 5}, 2e-5, 4e-5)}, "fused", Against::module)};
    const auto all = rows_of(written(steps));
    REQUIRE(all.size() == 2);
    std::map<std::string, std::string> got = all[1];
    CHECK(std::stod(got["error_manual_ulp"]) == 3e-9 / 0x1p-24);
    CHECK(std::stod(got["error_torch_ulp"]) == 4e-9 / 0x1p-24);
    std::string fields;
    for (const auto& [key, value] : got) {
        fields += key.ends_with("_ulp") && key != "max_ulp" ? "" : key + "=" + value + "; ";
    }
    CHECK(fields ==
          "bit_equal=false; count=30; error_manual=3e-09; error_torch=4e-09; limit=4e-05; max_abs_diff=2e-05; "
          "max_ulp=12; model=fused; name=dW1; note=; role=; scale=0.75; shape=6 5; step=5; torch_further_off=false; "
          "used=0.5; verdict=within; witness=module; worst_index=5 4; worst_manual=0.5; worst_oracle=0.125; "
          "worst_torch=-0.25; worst_where=dW1 from position 3, dimension 1 to unit 4; ");
    CHECK(all[0].at("shape").empty());
    const auto only = rows_of(written(steps, [](const std::string& name) { return name == "dW1"; }));
    REQUIRE(only.size() == 1);
    CHECK(only[0] == got);
    CHECK(read_csv(written({})).size() == 1);
}

TEST_CASE("a report of no steps is a report") {
    CHECK(read({})["steps"] == Json::array());
}
