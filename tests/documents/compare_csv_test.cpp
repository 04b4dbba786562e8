#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "documents/compare.h"
#include "harness/csv.h"
#include "harness/results.h"
#include "report/writers.h"

using namespace byhand;
using namespace byhand::test;

namespace {

std::string written(const std::vector<ComparedStep>& steps, const Presentation& how) {
    return to_csv(compare_document(how, summary_of(steps), steps, ShownRows::for_programs, {""}));
}

std::vector<std::map<std::string, std::string>> rows(const std::vector<ComparedStep>& steps,
                                                     const Presentation& how = presentation()) {
    return rows_of(written(steps, how));
}

}  // namespace

TEST_CASE("CSV: a row a tensor and step, every figure under its name") {
    ComparedStep second = step_of(5, {within("dW1", {6, 5}, 2e-5, 4e-5)}, "fused", Against::module);
    const auto all = rows({step_of(0, {exact("loss", {})}), second});
    REQUIRE(all.size() == 2);
    std::map<std::string, std::string> got = all[1];
    CHECK(std::stod(got["error_manual_ulp"]) == 3e-9 / 0x1p-24);
    CHECK(std::stod(got["error_torch_ulp"]) == 4e-9 / 0x1p-24);
    CHECK(got["witness"] == "module");
    std::string fields;
    for (const auto& [key, value] : got) {
        fields += key.ends_with("_ulp") && key != "max_ulp" ? "" : key == "witness" ? "" : key + "=" + value + "; ";
    }
    CHECK(fields ==
          "bit_equal=false; count=30; error_manual=3e-09; error_torch=4e-09; limit=4e-05; max_abs_diff=2e-05; "
          "max_ulp=12; model=fused; name=dW1; note=; role=; scale=0.75; shape=6 5; step=5; torch_further_off=false; "
          "used=0.5; verdict=within; worst_index=5 4; worst_manual=0.5; worst_oracle=0.125; "
          "worst_torch=-0.25; worst_where=dW1 from position 3, dimension 1 to unit 4; ");
    CHECK(all[0].at("shape").empty());
    CHECK(all[0].at("bit_equal") == "true");
}

TEST_CASE("CSV: what is not known is empty, what is not finite says so") {
    NamedFinding nan = within("h", {2, 5}, 1, 1);
    nan.worst = Worst{1, std::numeric_limits<double>::quiet_NaN(), {}, -std::numeric_limits<double>::infinity()};
    const auto all = rows({step_of(0, {missing("dh"), nan})});
    for (const char* key : {"bit_equal", "max_abs_diff", "max_ulp", "error_manual", "error_manual_ulp", "limit", "used",
                            "worst_index", "worst_where", "worst_manual", "torch_further_off"}) {
        CHECK(all[0].at(key).empty());
    }
    CHECK(all[0].at("note") == "LibTorch has none");
    CHECK(all[0].at("verdict") == "missing");
    CHECK(all[1].at("worst_manual") == "nan");
    CHECK(all[1].at("worst_torch") == "-inf");
    CHECK(all[1].at("worst_oracle").empty());
}

TEST_CASE("CSV: commas, quotes and line ends stay in their field") {
    NamedFinding r = missing("a \"name\", with\neverything");
    Presentation how = presentation();
    how.characters = {".", ",", "\"", "q"};
    const auto all = rows({step_of(0, {r, within("dlogits", {2, 4}, 1, 2)})}, how);
    REQUIRE(all.size() == 2);
    CHECK(all[0].at("name") == "a \"name\", with\\x0aeverything");
    CHECK(all[1].at("worst_where") == "dlogits row 1 (`\"q, → .`), 'q'");
}

TEST_CASE("CSV: only what the filter takes, and the header always") {
    const ComparedStep step = step_of(0, {exact("C", {2}), exact("dC", {2})});
    const auto all = rows({step}, presentation([](const std::string& name) { return name == "dC"; }));
    REQUIRE(all.size() == 1);
    CHECK(all[0].at("name") == "dC");
    CHECK(read_csv(written({}, presentation())).size() == 1);
}
