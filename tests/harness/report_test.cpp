#include "harness/report.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "harness/results.h"

using namespace byhand;
using test::everything;
using test::exact;
using test::missing;
using test::step_of;
using test::within;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(line);
    }
    return lines;
}

std::string without_escapes(const std::string& text) {
    return std::regex_replace(text, std::regex("\x1b\\[[0-9;]*m"), "");
}

Summary summary_of(const std::vector<ComparedStep>& steps) {
    Summary summary;
    for (const ComparedStep& step : steps) {
        add(summary, step);
    }
    return summary;
}

}  // namespace

TEST_CASE("a table, letter by letter") {
    ComparedStep step = step_of(7, {exact("C", {27, 2}), within("bnmean_running", {5}, 2e-8, 1e-6)});
    step.tensors.push_back({"fused", "module", within("loss", {}, 0.75, 1e-6)});
    step.tensors.push_back({"fused", "module", missing("dh")});
    const std::string expected =
        R"(step 7: loss 3.250000 by hand, 3.500000 by LibTorch
stepwise against LibTorch's stepwise
  name            shape    count  bit-equal  largest diff  ULP       of limit  verdict   worst element: by hand | LibTorch
  C               (27, 2)     54        yes      0.00e+00    0         0.00 %  exact
  bnmean_running  (5)          5         no      2.00e-08   12         2.00 %  within    [4]  0.5 | -0.25
fused against LibTorch's module
  name            shape    count  bit-equal  largest diff  ULP       of limit  verdict   worst element: by hand | LibTorch
  loss            ()           1         no      7.50e-01   12  75000000.00 %  mismatch  []  0.5 | -0.25
  dh              (3)          3          -             -    -              -  missing   LibTorch's side has none
)";
    CHECK(table(step, everything, false) == expected);
}

TEST_CASE("the columns stand under each other, however wide they are") {
    const ComparedStep step =
        step_of(0, {exact("C", {1}), within("a_very_long_name_of_a_tensor.12", {1234, 5678, 9}, 1e-300, 1e-299),
                    within("dW1", {2}, 123456.0, 1e-30)});
    const std::vector<std::string> lines = lines_of(table(step, everything, false));
    REQUIRE(lines.size() == 6);
    for (const std::string column : {"shape", "verdict"}) {  // to the left
        const std::size_t at = lines[2].find(column);
        for (std::size_t i = 3; i < lines.size(); ++i) {
            CHECK(lines[i].substr(at - 2, 2) == "  ");
            CHECK(lines[i][at] != ' ');
        }
    }
    for (const std::string column : {"count", "bit-equal", "largest diff", "ULP", "of limit"}) {  // to the right
        const std::size_t end = lines[2].find(column) + column.size();
        for (std::size_t i = 3; i < lines.size(); ++i) {
            CHECK(lines[i][end - 1] != ' ');
            CHECK(lines[i].substr(end, 2) == "  ");
        }
    }
}

TEST_CASE("a pass shows the same figures as a failure") {
    const ComparedStep pass = step_of(0, {within("dW1", {2, 3}, 2e-5, 4e-5)}),
                       failure = step_of(0, {within("dW1", {2, 3}, 2e-5, 1e-5)});
    const std::string passed = lines_of(table(pass, everything, false))[3],
                      failed = lines_of(table(failure, everything, false))[3];
    for (const std::string figure : {"dW1", "(2, 3)", "6", "no", "2.00e-05", "12", "[1, 2]  0.5 | -0.25"}) {
        CHECK(passed.find(figure) != std::string::npos);
        CHECK(failed.find(figure) != std::string::npos);
    }
    CHECK(passed.find("50.00 %") != std::string::npos);
    CHECK(failed.find("200.00 %") != std::string::npos);
    CHECK(passed.find("within") != std::string::npos);
    CHECK(failed.find("mismatch") != std::string::npos);
}

TEST_CASE("what is not finite or never written shows where it stands") {
    TensorResult nan = within("h", {2, 2}, 0, 1);
    nan.max_abs_diff.reset();
    nan.max_ulp.reset();
    nan.worst = Worst{2, std::numeric_limits<double>::quiet_NaN(), 1.5, std::nullopt};
    nan.verdict = Verdict::non_finite;
    const std::string line = lines_of(table(step_of(0, {nan}), everything, false))[3];
    CHECK(line.find("non-finite  [1, 0]  nan | 1.5") != std::string::npos);
    CHECK(std::regex_search(line, std::regex("4 +- +- +- +- +non-finite")));
}

TEST_CASE("only what the filter takes is shown") {
    const ComparedStep step = step_of(0, {exact("C", {2}), exact("dC", {2}), exact("dW1", {2})});
    const std::vector<std::string> lines =
        lines_of(table(step, [](const std::string& name) { return name.starts_with("d"); }, false));
    REQUIRE(lines.size() == 5);
    CHECK(lines[3].starts_with("  dC "));
    CHECK(lines[4].starts_with("  dW1 "));
    CHECK(lines_of(table(step, [](const std::string&) { return false; }, false)).size() == 1);
}

TEST_CASE("colour changes no letter, and stands only where it is wanted") {
    const ComparedStep step = step_of(0, {exact("C", {2}), within("dC", {2}, 1, 2), within("dW1", {2}, 2, 1)});
    const std::string plain = table(step, everything, false), coloured = table(step, everything, true);
    CHECK(plain.find('\x1b') == std::string::npos);
    CHECK(coloured.find("\x1b[32mexact\x1b[0m") != std::string::npos);
    CHECK(coloured.find("\x1b[32mwithin\x1b[0m") != std::string::npos);
    CHECK(coloured.find("\x1b[1;31mmismatch\x1b[0m") != std::string::npos);
    CHECK(without_escapes(coloured) == plain);

    for (const Summary& summary : {summary_of({step}), summary_of({step_of(0, {within("dC", {2}, 1, 2)})})}) {
        CHECK(conclusion(summary, false).find('\x1b') == std::string::npos);
        CHECK(conclusion(summary, true).find('\x1b') != std::string::npos);
        CHECK(without_escapes(conclusion(summary, true)) == conclusion(summary, false));
    }
}

TEST_CASE("a summary counts over all steps") {
    const Summary good = summary_of({step_of(0, {exact("C", {2}), within("dC", {2}, 1, 4)}),
                                     step_of(7, {within("dC", {2}, 3, 4), within("dW1", {2}, 1, 2)})});
    CHECK(good.agree);
    CHECK(good.steps == 2);
    CHECK(good.compared == 4);
    CHECK(good.disagreeing == 0);
    CHECK_FALSE(good.first_divergence.has_value());
    CHECK(good.largest_use == 0.75);
    CHECK(good.largest_use_name == "dC");
    CHECK(good.largest_use_step == 7);
    CHECK(conclusion(good, false) ==
          "they agree: 4 tensors over 2 steps; closest to its limit came dC at step 7, with 75.00 % of it\n");

    const Summary bad = summary_of({step_of(0, {within("C", {2}, 1, 2)}),
                                    step_of(3, {missing("dh"), within("dC", {2}, 5, 4), exact("dW1", {2})}),
                                    step_of(4, {exact("C", {2})})});
    CHECK_FALSE(bad.agree);
    CHECK(bad.compared == 5);
    CHECK(bad.disagreeing == 2);
    CHECK(bad.first_divergence == "dh");
    CHECK(bad.largest_use == 0.5);  // of those that agree
    CHECK(conclusion(bad, false) == "they disagree: 2 of 5 tensors over 3 steps; the first is dh\n");
}

TEST_CASE("each verdict that is no agreement ends it") {
    for (const Verdict verdict : {Verdict::mismatch, Verdict::non_finite, Verdict::shape, Verdict::missing,
                                  Verdict::unwritten, Verdict::vacuous}) {
        TensorResult result = exact("dC", {2});
        result.verdict = verdict;
        CHECK_FALSE(summary_of({step_of(0, {result})}).agree);
    }
}

TEST_CASE("where every value is equal to the bit, none came close to its limit") {
    const Summary summary = summary_of({step_of(0, {exact("C", {2}), exact("dC", {2})})});
    CHECK(summary.agree);
    CHECK(conclusion(summary, false) == "they agree: 2 tensors over 1 step; no two values differ\n");
}
