#include <catch2/catch_test_macros.hpp>
#include <string>

#include "documents/compare.h"
#include "harness/results.h"

using namespace byhand;
using namespace byhand::test;

namespace {

std::string in_words(const Summary& summary) {
    const Text text = conclusion(summary);
    return text.lead + text.words;
}

// A step of two parameters: W1 has drifted by so much of its 2, b1 by rounding alone.
ComparedStep drifted(std::size_t number, double distance) {
    NamedFinding updated = within("new_W1", {6, 5}, 1e-8, 1e-7);
    updated.error = 3e-8;
    updated.scale = 2;
    NamedFinding rounding = within("new_b1", {5}, 1e-8, 1e-7);
    rounding.error = 1;
    ComparedStep step = step_of(number, {updated, rounding});
    report_of(step).drift = {{"C", distance / 10, 1}, {"W1", distance, 2}, {"b1", 1e-9, 1e-9, true}};
    return step;
}

}  // namespace

TEST_CASE("a summary counts over all steps") {
    const Summary good = summary_of({step_of(0, {exact("C", {2}), within("dC", {2}, 1, 4)}),
                                     step_of(7, {within("dC", {2}, 3, 4), within("dW1", {2}, 1, 2)})});
    CHECK(good.agree);
    CHECK(good.steps == 2);
    CHECK(good.compared == 4);
    CHECK(good.disagreeing == 0);
    CHECK_FALSE(good.first_divergence.has_value());
    CHECK(good.closest.at(0).used == 0.75);
    CHECK(good.closest.at(0).name == "dC");
    CHECK(good.closest.at(0).step == 7);
    CHECK(in_words(good) ==
          "they agree: 3 tensors (4 comparisons) over 2 steps; nearest to its limit: dC at step 7 (75.00 %)");

    const Summary bad = summary_of({step_of(0, {within("C", {2}, 1, 2)}),
                                    step_of(3, {missing("dh"), within("dC", {2}, 5, 4), exact("dW1", {2})}, "fused"),
                                    step_of(4, {exact("C", {2})})});
    CHECK_FALSE(bad.agree);
    CHECK(bad.compared == 5);
    CHECK(bad.disagreeing == 2);
    CHECK(bad.first_divergence == "dh");
    CHECK(bad.first_divergence_step == 3U);
    CHECK(bad.first_divergence_model == "fused");
    CHECK(bad.closest.at(0).used == 0.5);  // of those that agree
    CHECK(in_words(bad) == "they disagree: 2 of 4 tensors (2 of 5 comparisons) over 3 steps; the first is dh");
}

TEST_CASE("each verdict that is no agreement ends it") {
    for (const Verdict verdict : {Verdict::mismatch, Verdict::non_finite, Verdict::shape, Verdict::missing,
                                  Verdict::unwritten, Verdict::vacuous, Verdict::out_of_range}) {
        NamedFinding result = exact("dC", {2});
        result.verdict = verdict;
        CHECK_FALSE(summary_of({step_of(0, {result})}).agree);
        // Two of them may be allowed, no other.
        const bool may = verdict == Verdict::vacuous || verdict == Verdict::out_of_range;
        CHECK(summary_of({step_of(0, {result})}, {Verdict::vacuous, Verdict::out_of_range}).agree == may);
    }
    NamedFinding out = exact("dC", {2});
    out.verdict = Verdict::out_of_range;
    CHECK_FALSE(summary_of({step_of(0, {out})}, {Verdict::vacuous}).agree);
}

TEST_CASE("what the chain can't decide contradicts nothing, and is counted") {
    NamedFinding result = within("db1", {5}, 1e-9, 1e-8);
    result.verdict = Verdict::undecided;
    const Summary summary = summary_of({step_of(0, {result, exact("dC", {2})})});
    CHECK(summary.agree);
    CHECK(summary.undecided == 1);
    CHECK(in_words(summary).ends_with("; 1 undecided end to end"));
}

TEST_CASE("where every value is equal to the bit, none came close to its limit") {
    const Summary summary = summary_of({step_of(0, {exact("C", {2}), exact("dC", {2})})});
    CHECK(summary.agree);
    CHECK(in_words(summary) == "they agree: 2 tensors over 1 step; no two values differ");
}

TEST_CASE("a step that is wrong in isolation ends agreement, though the chain agrees") {
    const ComparedStep step = with_isolated(
        step_of(2, {exact("C", {2})}), {isolated("h", trial(0.25), trial(0.5)), isolated("dh", trial(0), trial(9))});
    const Summary summary = summary_of({step});
    CHECK_FALSE(summary.agree);
    CHECK(summary.isolated == 2);
    CHECK(summary.disagreeing_isolated == 1);
    CHECK(summary.disagreeing == 0);
    CHECK(summary.first_divergence == "dh");
    CHECK(summary.first_divergence_step == 2U);
    CHECK(summary.culprits.size() == 1);
    CHECK(in_words(summary) == "they disagree: 0 of 1 tensor over 1 step, 1 of 2 isolated steps; the first is dh");
}

TEST_CASE("a fault of the lists ends agreement, though every isolated step agrees") {
    const ComparedStep step = with_isolated(step_of(0, {exact("C", {2})}), {isolated("h", trial(0.25), trial(0.5))}, {},
                                            {{"dW1", "f", "no step makes it"}});
    const Summary summary = summary_of({step});
    CHECK_FALSE(summary.agree);
    CHECK(summary.first_divergence == "dW1");
}

TEST_CASE("an isolated step that can't fail is no agreement, unless it is allowed") {
    const auto agree = [](const Trial& real, const Trial& probe, const std::set<Verdict>& allowed) {
        return summary_of({with_isolated(step_of(0, {exact("C", {2})}), {isolated("h", real, probe)})}, allowed).agree;
    };
    const Trial good = trial(0.5), vacuous = trial(0, Verdict::vacuous), out = trial(0, Verdict::out_of_range);
    CHECK(agree(good, good, {}));
    CHECK_FALSE(agree(good, vacuous, {}));
    CHECK_FALSE(agree(vacuous, vacuous, {}));
    CHECK(agree(good, vacuous, {Verdict::vacuous}));
    // Exact arithmetic makes some real gradients zero: then the probe decides.
    CHECK(agree(vacuous, good, {}));
    CHECK_FALSE(agree(out, good, {}));
    CHECK_FALSE(agree(good, out, {}));
    CHECK_FALSE(agree(good, out, {Verdict::vacuous}));
    CHECK(agree(good, out, {Verdict::out_of_range}));
    CHECK(agree(out, vacuous, {Verdict::out_of_range, Verdict::vacuous}));
    // Nothing allows what is wrong.
    CHECK_FALSE(agree(out, trial(2), {Verdict::out_of_range, Verdict::vacuous}));
}

TEST_CASE("drift: its size, the largest value, its growth, and the fresh error separately") {
    const Summary summary = summary_of({drifted(0, 0), drifted(10, 2e-6), drifted(20, 4e-6), drifted(40, 8e-6)});
    REQUIRE(summary.drift.size() == 1);
    CHECK(summary.drift[0].points.size() == 4);
    CHECK(summary.drift[0].points[3].parameter == "W1");  // 4e-6 of its scale; C 8e-7; b1 is rounding alone
    CHECK(summary.drift[0].fresh == 1.5e-8);
    const std::string text = in_words(summary);
    CHECK(text.substr(text.find('\n') + 1) ==
          "drift of stepwise from LibTorch: 4.00e-06 of its scale (W1 leads) at the start of step 40, from 1.00e-06 of "
          "its scale (W1 leads) at step 10, growing about as step^1.0; fresh error of a step: 1.50e-08 at most "
          "(new_W1)");
    // One point shows no growth; none shows nothing.
    const std::string once = in_words(summary_of({drifted(5, 2e-6)}));
    CHECK(once.find("1.00e-06 of its scale (W1 leads) at the start of step 5; fresh") != std::string::npos);
    CHECK(in_words(summary_of({drifted(0, 0)})).find(": 0 at the start of step 0; fresh") != std::string::npos);
    CHECK(in_words(summary_of({step_of(0, {exact("C", {2})})})).find("drift") == std::string::npos);
}

TEST_CASE("drift: quadratic growth is told from linear growth") {
    const std::string text = in_words(summary_of({drifted(3, 9e-8), drifted(9, 81e-8), drifted(27, 729e-8)}));
    CHECK(text.find("growing about as step^2.0;") != std::string::npos);
}
