#include "bench/compare.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <functional>
#include <string>

#include "bench/budget.h"
#include "bench/operations.h"
#include "bench/report.h"
#include "bench/tests/a_machine.h"
#include "report/writers.h"
#include "train/small_run.h"

using namespace byhand;
using bench::Change;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinAbs;

namespace {

bench::Spread around(double median, double half) {
    return {median, median * (1 - half), median * (1 + half)};
}

// A step of so many microseconds, LibTorch's of `torch` times as many, each spread by this share below and above.
bench::Result result(const std::string& recipe, double micros, double torch, double half) {
    bench::Result result;
    result.recipe = recipe;
    result.rounds = 30;
    result.seconds = around(micros * 1e-6, half);
    result.torch_seconds = around(micros * torch * 1e-6, half);
    result.ratio = around(torch, half);
    result.losses = bench::Losses{2.5, 2.5, 0};
    result.flops = 50'000;
    return result;
}

bench::Result without_torch(bench::Result result) {
    result.torch_seconds = result.ratio = std::nullopt;
    result.losses.reset();
    return result;
}

bench::Report report_with(const std::vector<bench::Result>& results, const bench::Machine& machine = kMachine) {
    return bench::report_of(bench::document_of(machine, results).data, "before.json");
}

bench::Difference difference(const bench::Result& before, const bench::Result& now, bool same_torch = true) {
    return bench::difference(report_with({before}).timings.front(), report_with({now}).timings.front(), same_torch);
}

Json spread_json(const Json& median, double p10, double p90) {
    return {{"median", median}, {"p10", p10}, {"p90", p90}};
}

// The data of a report after a change to its only result.
Json changed(const std::function<void(Json& data, Json& result)>& change) {
    Json data = bench::document_of(kMachine, {result("notes", 10, 5, 0.1)}).data;
    Json result = data.at("results").at(0);
    change(data, result);
    data["results"] = Json::array({result});
    return data;
}

}  // namespace

TEST_CASE("compare: a change counts if it is larger than the spread of both runs") {
    // 10 to 8: the time of a step is 10/8 of the earlier one.
    const bench::Difference slower = difference(result("r", 20, 10, 0.05), result("r", 20, 8, 0.05));
    CHECK(slower.by_ratio);
    CHECK(slower.earlier == 10);
    CHECK(slower.now == 8);
    CHECK_THAT(slower.change, WithinAbs(0.25, 1e-12));
    // p10 of the earlier ratio, and p90 of the later
    CHECK_THAT(slower.uncertainty, WithinAbs(std::exp(std::hypot(std::log(0.95), std::log(1.05))) - 1, 1e-12));
    CHECK(slower.verdict() == Change::slower);
    CHECK(difference(result("r", 20, 8, 0.05), result("r", 20, 10, 0.05)).verdict() == Change::faster);
    CHECK(difference(result("r", 20, 10, 0.05), result("r", 20, 10, 0.05)).verdict() == Change::none);
    // A quarter is no difference if one of the runs is spread by as much.
    CHECK(difference(result("r", 20, 10, 0.25), result("r", 20, 8, 0.01)).verdict() == Change::none);
    CHECK(difference(result("r", 20, 8, 0.01), result("r", 20, 10, 0.25)).verdict() == Change::none);
    CHECK(difference(result("r", 20, 10, 0.01), result("r", 20, 9.8, 0.01)).verdict() == Change::slower);
}

TEST_CASE("compare: slow rounds of the slower run don't hide a change, those of the faster run do") {
    bench::Result quick = without_torch(result("r", 10, 5, 0.02)), slow = without_torch(result("r", 13, 5, 0.02));
    slow.seconds.p90 = 9 * slow.seconds.median;
    CHECK(difference(quick, slow).verdict() == Change::slower);
    CHECK(difference(slow, quick).verdict() == Change::faster);
    quick.seconds.p90 = 9 * quick.seconds.median;
    CHECK(difference(quick, slow).verdict() == Change::none);
    CHECK(difference(slow, quick).verdict() == Change::none);
    // Far apart, even if both have them.
    slow.seconds = {1000e-6, 900e-6, 9000e-6};
    CHECK(difference(quick, slow).verdict() == Change::slower);
    CHECK(difference(slow, quick).verdict() == Change::faster);
}

TEST_CASE("compare: by the ratio, which a slow machine does not change; by the times without it") {
    const bench::Result before = result("r", 20, 10, 0.05), on_slow_machine = result("r", 40, 10, 0.05);
    CHECK(difference(before, on_slow_machine).verdict() == Change::none);
    for (const bench::Difference& by_time :
         {difference(before, on_slow_machine, false), difference(without_torch(before), on_slow_machine),
          difference(before, without_torch(on_slow_machine))}) {
        CHECK_FALSE(by_time.by_ratio);
        CHECK_THAT(by_time.earlier, WithinAbs(20, 1e-9));
        CHECK_THAT(by_time.change, WithinAbs(1, 1e-9));
        CHECK(by_time.verdict() == Change::slower);
    }
    CHECK(difference(on_slow_machine, before, false).verdict() == Change::faster);
}

TEST_CASE("compare: the table, the conclusions and the JSON") {
    const bench::Report before =
        report_with({result("wide", 10, 5, 0.02), result("notes", 20, 10, 0.05), result("bigbatch", 30, 4, 0.1)});
    Document now = bench::document_of(
        kMachine, {result("notes", 20, 8, 0.05), result("wide", 10, 6, 0.02), result("bigbatch", 30, 4, 0.1)});
    CHECK(bench::add_comparison(now, before));
    CHECK_FALSE(now.agrees);
    const std::string text = to_text(now);
    INFO(text);
    CHECK_THAT(text, ContainsSubstring("compared with before.json\n"));
    CHECK_THAT(text, ContainsSubstring("+25.0 ± 7.3 %  slower\n"));
    CHECK_THAT(text, ContainsSubstring("slower: notes\n"));
    CHECK_THAT(text, ContainsSubstring("faster: wide\n"));
    const Json& compared = now.data.at("compared");
    CHECK(compared.at("with").get<std::string>() == "before.json");
    CHECK(compared.at("verdict").get<std::string>() == "slower");
    REQUIRE(compared.at("changes").size() == 3);
    const Json& notes = compared.at("changes").at(0);
    CHECK(notes.at("name").get<std::string>() == "notes");
    CHECK(notes.at("earlier").get<double>() == 10);
    CHECK(notes.at("now").get<double>() == 8);
    CHECK(notes.at("by").get<std::string>() == "ratio");
    CHECK_THAT(notes.at("change").get<double>(), WithinAbs(0.25, 1e-12));
    CHECK_THAT(notes.at("uncertainty").get<double>(), WithinAbs(0.0734, 1e-4));
    CHECK(notes.at("verdict").get<std::string>() == "slower");
    CHECK(compared.at("changes").at(2).at("verdict").get<std::string>() == "no difference shown");

    const auto verdict = [&](const bench::Result& result) {
        Document document = bench::document_of(kMachine, {result});
        CHECK_FALSE(bench::add_comparison(document, before));
        CHECK(document.agrees);
        return document.data.at("compared").at("verdict").get<std::string>();
    };
    CHECK(verdict(result("wide", 10, 6, 0.02)) == "faster");
    CHECK(verdict(result("bigbatch", 30, 4, 0.1)) == "no difference shown");
}

TEST_CASE("compare: another version or BLAS core of LibTorch makes the ratios incomparable") {
    bench::Machine other = kMachine;
    other.blas_core = "Zen";
    Document now = bench::document_of(kMachine, {result("r", 20, 8, 0.05)});
    CHECK_FALSE(bench::add_comparison(now, report_with({result("r", 20, 10, 0.05)}, other)));
    CHECK(now.data.at("compared").at("changes").at(0).at("by").get<std::string>() == "µs");
}

TEST_CASE("compare: operations, each by its shape, as far as both reports have them") {
    const auto operations = [](double ours, const std::vector<std::size_t>& widths) {
        std::vector<bench::OperationTimes> all;
        for (const std::size_t out : widths) {
            bench::OperationTimes& times = all.emplace_back(bench::OperationTimes{
                .recipe = "notes",
                .what = {.name = "linear forward", .rows = 32, .in = 6, .out = out, .has_bias = true},
                .rounds = {},
                .peers = {}});
            times.rounds.ours.seconds = {ours, ours};
            times.rounds.theirs.seconds = {10e-6, 10e-6};
        }
        return bench::document_of(kMachine, all);
    };
    const bench::Report before = bench::report_of(operations(1e-6, {100, 50}).data, "before.json");
    CHECK(before.of_operations);
    // What only one of the reports has is named, and the rest compared.
    Document now = operations(2e-6, {200, 100});
    CHECK(bench::add_comparison(now, before));
    const Json& compared = now.data.at("compared");
    REQUIRE(compared.at("changes").size() == 1);
    CHECK_THAT(compared.at("changes").at(0).at("change").get<double>(), WithinAbs(1, 1e-12));
    CHECK(compared.at("only_now") == Json::array({"notes, linear forward 32·6→200 and bias"}));
    CHECK(compared.at("only_earlier") == Json::array({"notes, linear forward 32·6→50 and bias"}));
    CHECK_THAT(to_text(now), ContainsSubstring("only in this run: notes, linear forward 32·6→200 and bias\n") &&
                                 ContainsSubstring("only in the earlier report: notes, linear forward 32·6→50"));
    Document wider = operations(2e-6, {200});
    CHECK_THROWS_WITH(bench::add_comparison(wider, before),
                      ContainsSubstring("before.json: has no notes, linear forward 32·6→200"));
}

TEST_CASE("compare: a report of another machine, kind or recipe is refused") {
    Recipe recipe = small_run::recipe();
    recipe.network.vocabulary = 8;
    bench::Result small = result(recipe.name, 10, 5, 0.1);
    small.flops = bench::step_flops(recipe.network, recipe.batch);
    const auto refused = [&](const bench::Machine& machine, bool of_operations, const Recipe& asked,
                             const std::string& what) {
        CHECK_THROWS_WITH(bench::check_comparable(report_with({small}), machine, of_operations, {asked}),
                          ContainsSubstring("before.json: ") && ContainsSubstring(what));
    };
    CHECK_NOTHROW(bench::check_comparable(report_with({small}), kMachine, false, {recipe}));
    bench::Machine other = kMachine;
    other.cpu = "Another CPU";
    refused(other, false, recipe, "measured on A CPU with AVX2, but this is Another CPU with AVX2");
    other = kMachine;
    other.target = "AVX3";
    refused(other, false, recipe, "but this is A CPU with AVX3");
    other = kMachine;
    other.threads = 2;
    refused(other, false, recipe, "measured with --threads 1, not 2");
    refused(kMachine, true, recipe, "leave out --kernels");
    Recipe larger = recipe;
    larger.batch *= 2;
    refused(kMachine, false, larger, "was another network or batch");
    Recipe missing = recipe;
    missing.name = "missing";
    refused(kMachine, false, missing, "has no recipe missing; give --recipe, of " + recipe.name);
    CHECK_NOTHROW(bench::check_comparable(report_with({small}), kMachine, false, {missing, recipe}));
}

TEST_CASE("compare: what is no report is refused") {
    const auto refused = [](const Json& data, const std::string& what) {
        CHECK_THROWS_WITH(bench::report_of(data, "f.json"), ContainsSubstring("f.json: " + what));
    };
    CHECK_NOTHROW(bench::report_of(changed([](Json&, Json&) {}), "f.json"));
    const std::string none = "not a report of byhand bench";
    refused(Json::object(), none);
    refused("text", none);
    refused(changed([](Json& data, Json&) { data["machine"] = 1; }), none);
    refused(changed([](Json&, Json& result) { result.erase("flops_per_step"); }), none);
    refused(changed([](Json&, Json& result) { result["step_us"] = spread_json("1", 1, 1); }), none);
    refused(changed([](Json&, Json& result) { result["ratio"] = spread_json(1, 2, 3); }), "no distribution");
    refused(changed([](Json&, Json& result) { result["step_us"] = spread_json(1, 0, 3); }), "no distribution");
    refused(changed([](Json&, Json& result) { result["rounds"] = 9; }), "measured in fewer than 10 rounds");
}
