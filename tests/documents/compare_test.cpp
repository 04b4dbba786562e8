#include "documents/compare.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "base/text.h"
#include "checks/faults/mistakes.h"
#include "documents/phrases.h"
#include "harness/isolated/shrink.h"
#include "harness/results.h"
#include "report/writers.h"

using namespace byhand;
using namespace byhand::test;
using text::contains;
using text::lines_of;

namespace {

std::string without_escapes(const std::string& text) {
    return std::regex_replace(text, std::regex("\x1b\\[[0-9;]*m"), "");
}

std::string written(const ComparedStep& step, const Presentation& how, ShownRows rows, const Terminal& terminal) {
    return to_text(compare_document(how, summary_of({step}), {step}, rows, {"next: byhand compare --tensor x"}),
                   terminal);
}

// The tables of one step with all rows, without blank lines, on a terminal that is wide enough.
std::string table(const ComparedStep& step, const Presentation& how, bool colour = false) {
    const std::string text = written(step, how, ShownRows::all, {.width = 180, .colour = colour});
    const std::size_t begin = text.find("step " + std::to_string(step.step) + ":");
    const std::string tables = text.substr(begin, text.rfind("\nthey ") - begin);  // the verdict is above and below
    return std::regex_replace(tables, std::regex("\n\n+"), "\n");
}

std::string blame(const ComparedStep& step, const Presentation& how) {
    std::string all;
    for (const Text& text : blame_texts(step, how)) {
        all += text.lead + text.words + "\n" + text.code + (text.code.empty() ? "" : "\n");
    }
    return all;
}

// dbnvar is wrong in isolation, dhprebn and dW1 have inherited it; loss is right. `first` comes before them.
ComparedStep with_culprit(const std::vector<NamedFinding>& first = {}) {
    NamedFinding wrong = within("dW1", {6, 5}, 2e-5, 1e-5);
    wrong.worst->position = 14;
    wrong.around = {{12, 1, 2}, {13, 3, 4}, {14, 0.5, -0.25}};
    Trial off = trial(1e4);
    off.hint = "off by the factor 31/32 = (n − 1)/n: n against n − 1";
    IsolatedStep culprit = isolated("dbnvar", off, off);
    culprit.shape = {5};
    std::vector<NamedFinding> all = first;
    all.insert(all.end(),
               {exact("loss", {}), wrong, within("dhprebn", {2, 5}, 2e-5, 1e-5), within("dbnvar", {5}, 2e-5, 1e-5)});
    return with_isolated(step_of(3, all), {isolated("loss", trial(0.25), trial(0.5)), culprit},
                         {{"dW1", "dbnvar"}, {"dhprebn", "dbnvar"}});
}

}  // namespace

TEST_CASE("a table, letter by letter") {
    ComparedStep step = step_of(7, {exact("C", {27, 2}), within("bnmean_running", {5}, 2e-8, 1e-6)});
    add_finding(step, within("loss", {}, 0.75, 1e-6), "fused", Against::module);
    add_finding(step, missing("dh"), "fused", Against::module);
    step = with_isolated(step, {isolated("emb", trial(0, Verdict::exact), trial(0, Verdict::exact)),
                                isolated("h", trial(0.25), trial(0.5)), isolated("dh", trial(0), trial(3e4))});
    const std::string header =
        "; errors: distances from an oracle in double\n"
        "  name            shape    count  equal   differ  ULP    error  LibTorch  of limit  verdict   worst element: "
        "by hand | LibTorch\n";
    const std::string expected =
        "step 7: loss 3.250000 by hand, 3.500000 by LibTorch\n"
        "stepwise against LibTorch's operations" +
        header +
        R"(  C               (27, 2)     54    yes  0.0e+00    0  3.0e-09   4.0e-09     0.0 %  exact
  bnmean_running  (5)          5     no  2.0e-08   12  3.0e-09   4.0e-09     2.0 %  within    [4] 0.5 | -0.25
fused against LibTorch's torch::nn module)" +
        header +
        R"(  loss            ()           1     no  7.5e-01   12  3.0e-09   4.0e-09  750,000×  mismatch  [] 0.5 | -0.25
      loss: 0.5 by hand, -0.25 by LibTorch, 0.125 by the oracle; its limit is 1.0e-06
  dh              (3)          3      –        –    –        –         –         –  missing   LibTorch has none
isolated steps of stepwise: share of the limit used, smallest relative error caught, own and inherited error
  name  function         this batch   random  catches      own  inherited  verdict
  dh    function_of_dh        0.0 %  30,000×  4.0e-07  0.0e+00          –  wrong, not on this batch: mismatch
  emb   function_of_emb       0.0 %    0.0 %  4.0e-07  0.0e+00          –  exact
  h     function_of_h        25.0 %   50.0 %  4.0e-07  2.5e-08          –  within
)";
    CHECK(table(step, presentation()) == expected);
}

TEST_CASE("a step that is wrong in double only is told to be wrong, and where") {
    IsolatedStep step = isolated("h", trial(0.25), trial(0.5));
    step.trials.push_back(in_double(trial(2e6), TrialInput::random));
    CHECK(report::verdict_in_words(step) == "wrong, not on this batch: mismatch in double");
    const std::string text = blame(with_isolated(step_of(0, {exact("C", {2})}), {step}), presentation());
    CHECK(contains(text, "wrong in double, on random values, not on this batch: "));
    step.trials.insert(step.trials.end() - 1, in_double(trial(3e6), TrialInput::batch));
    CHECK(step.telling() == &step.trials[2]);
    CHECK_FALSE(step.not_on_batch());
    step.trials[1].verdict = Verdict::mismatch;
    CHECK(step.not_on_batch());
    CHECK_FALSE(step.only_in_double());
}

TEST_CASE("what is not finite or never written shows where it stands") {
    NamedFinding nan = within("h", {2, 2}, 0, 1);
    nan.difference.reset();
    nan.ulp.reset();
    nan.used.reset();
    nan.worst = Worst{2, std::numeric_limits<double>::quiet_NaN(), std::nullopt, 1.5};
    nan.around = {{2, std::numeric_limits<double>::quiet_NaN(), 1.5}, {3, 1, 2}};
    nan.verdict = Verdict::non_finite;
    const std::vector<std::string> lines = lines_of(table(step_of(0, {nan}), presentation()));
    CHECK(std::regex_search(lines[3], std::regex("4 +– +– +– .*–  non-finite  .1, 0. nan . 1.5$")));
    CHECK(contains(lines[4], "h row 1 (`mqe → .`), unit 0: nan by hand, 1.5 by LibTorch; its limit is"));
    CHECK(lines[5] == "      around it: [nan] 1 by hand");
    CHECK(lines[6] == "                 [1.5] 2 by LibTorch");
}

TEST_CASE("a table says where LibTorch is further off") {
    NamedFinding r = within("dW1", {6, 5}, 2e-6, 1e-5);
    r.reference_further_off = true;
    const std::string text = table(step_of(0, {r}), presentation());
    CHECK(contains(text, "\n      LibTorch is further off: 4.0e-09 from the oracle, by hand 3.0e-09\n"));
    r.reference_further_off = false;
    CHECK_FALSE(contains(table(step_of(0, {r}), presentation()), "further off"));
}

TEST_CASE("culprits come first, then what inherits, then the rest, with the worst element in words") {
    const std::vector<std::string> lines = lines_of(table(with_culprit(), presentation()));
    std::vector<std::string> names;
    for (const std::string& line : lines) {
        if (line.starts_with("  ") && line[2] != ' ') {
            names.push_back(line.substr(2, line.find(' ', 2) - 2));
        }
    }
    CHECK(names == std::vector<std::string>{"name", "dbnvar", "dW1", "dhprebn", "loss", "name", "dbnvar", "loss"});
    const std::string text = table(with_culprit(), presentation());
    CHECK(contains(text, "\n      culprit\n      dbnvar unit 4: 0.5 by hand"));
    CHECK(contains(text,
                   "\n      inherited from dbnvar\n      dW1 from position 2, dimension 0 to unit 4: 0.5 by hand, "
                   "-0.25 by LibTorch, 0.125 by the oracle; its limit is 1.0e-05\n"
                   "      around it: 1 3 [0.5] by hand\n                 2 4 [-0.25] by LibTorch\n"));
    CHECK(contains(text, "\n      dhprebn row 1 (`mqe → .`), unit 4: "));
}

TEST_CASE("blame: the first line has the first divergence, the culprit, its formula and its line of code") {
    const std::vector<std::string> lines = lines_of(blame(with_culprit(), presentation()));
    REQUIRE(lines.size() == 7);
    CHECK(lines[0] == "first divergence dW1, culprit dbnvar");
    CHECK(lines[1] == "  made by function_of_dbnvar (src/manual/some.h:17)");
    CHECK(lines[2] == "  should be dbnvar = what it should be");
    CHECK(lines[3] == "  wrong on this batch: error 0.001, rounding explains at most 1e-07");
    CHECK(lines[4] == "  dbnvar unit 1: by hand 0.251, expected 0.25");
    CHECK(lines[5] == "  hint: off by the factor 31/32 = (n − 1)/n: n against n − 1");
    CHECK(lines[6] == "  inherited from dbnvar: dW1, dhprebn");
}

TEST_CASE("blame: of many values that inherit, the first few and their number") {
    ComparedStep step = with_culprit();
    for (const std::string name : {"dembcat", "demb", "dC"}) {
        ValueReport heir;
        heir.name = name;
        heir.role = {Role::Kind::inherited, "dbnvar"};
        step.models[0].downstream.push_back(step.models[0].values.size());
        step.models[0].values.push_back(heir);
    }
    CHECK(contains(blame(step, presentation()), "\n  inherited from dbnvar: dW1, dhprebn, dembcat, demb, … (5)\n"));
}

TEST_CASE("blame: in double seventeen digits, in float eight, or as many as tell two numbers apart") {
    const auto numbers = [](double ours, double right, bool is_double) {
        Trial wrong = trial(9);
        wrong.worst->ours = ours;
        wrong.worst->right = right;
        IsolatedStep step = isolated("dh", is_double ? trial(0.25) : wrong, trial(0.5));
        if (is_double) {
            step.trials.push_back(in_double(wrong, TrialInput::batch));
        }
        const std::string text = blame(with_isolated(step_of(0, {exact("C", {2})}), {step}), presentation());
        return text.substr(text.find("by hand"));
    };
    CHECK(numbers(0.125, 0.125 + 0x1p-53, true) == "by hand 0.125, expected 0.12500000000000011\n");
    CHECK(numbers(1.0 / 3, 0.25, true) == "by hand 0.33333333333333331, expected 0.25\n");
    CHECK(numbers(1.0 / 3, 0.25, false) == "by hand 0.33333333, expected 0.25\n");
    CHECK(numbers(0.1, 0.1 + 1e-12, false) == "by hand 0.10000000000000001, expected 0.10000000000100001\n");
}

TEST_CASE("blame: numbers are by hand, yours or given, and byhand's own code is not taken for what made given ones") {
    Presentation how = presentation();
    for (const Whose whose : {Whose::by_hand, Whose::yours, Whose::given}) {
        how.whose = whose;
        const std::string own = whose == Whose::given ? "byhand's own: " : "", words = report::in_words(whose);
        CHECK(contains(blame(with_culprit(), how), "dbnvar unit 1: " + words + " 0.251, expected 0.25\n"));
        CHECK(contains(blame(with_culprit(), how), " (" + own + "src/manual/some.h:17)\n"));
    }
    const std::string shown = table(with_culprit(), how);
    CHECK(contains(shown, ": 0.5 given, -0.25 by LibTorch"));
    CHECK(contains(shown, "worst element: given | LibTorch"));
    CHECK_FALSE(contains(shown, "by hand"));
    how.source = Presentation().source;
    CHECK(contains(blame(with_culprit(), how), " (no source)\n"));
}

TEST_CASE("blame: the planted mistake that makes the same, and the smallest input that shows it") {
    ComparedStep step = with_culprit();
    Trial& shown = evidence_in(step);
    shown.mistake = find_mistake("embedding-overwritten");
    const auto input = smallest_input("dbnvar", "bnvar");
    input->shape = {1};
    input->size.rows = 2;
    input->made.trial = trial(7);
    input->made.trial.worst->position = 0;
    input->right = {0.25};
    shown.smallest = input;
    const std::string text = blame(step, presentation());
    CHECK(contains(text,
                   "  hint: off by the factor 31/32 = (n − 1)/n: n against n − 1\n"
                   "  hint: the known mistake embedding-overwritten produces these numbers: = for += in dC"));
    CHECK(contains(text,
                   "\n  the smallest input found that shows it, with 2 rows:\n"
                   "  const float bnvar[1] = {3};  // dbnvar[0] 0.2500007, expected 0.25\n"));
    shown.mistake = nullptr;
    CHECK_FALSE(contains(blame(step, presentation()), "known mistake"));
}

TEST_CASE("blame: what only the probe sees, faults of the lists, and what nobody explains") {
    ComparedStep step = with_isolated(step_of(0, {exact("loss", {})}), {isolated("dh", trial(0.5), trial(1e3))});
    const std::string unseen = blame(step, presentation());
    CHECK(unseen.starts_with("culprit dh\n  made by function_of_dh ("));
    CHECK(contains(unseen, "wrong on random values, not on this batch: error 0.0001, rounding"));
    CHECK(contains(unseen, "\n  dh row 0, unit 1: "));  // the batch's rows are not those of a probe

    step = with_isolated(step_of(0, {exact("loss", {})}), {}, {},
                         {{"dW1", "other", "runs before dh, which it reads, is made"}});
    const std::string early = blame(step, presentation());
    CHECK(early == "culprit dW1\n  made by other (no source)\n  runs before dh, which it reads, is made\n");

    step = with_isolated(step_of(0, {within("loss", {}, 2, 1)}), {});
    CHECK(blame(step, presentation()) ==
          "first divergence loss; off end to end, though no step that leads there is wrong in isolation: loss\n");
    CHECK(blame(step_of(0, {exact("C", {2})}), presentation()).empty());

    // Of external values, where the steps that lead there could not be judged.
    step.models[0].missing = {"h", "dh"};
    CHECK(blame(step, presentation()) ==
          "first divergence loss; off end to end: loss\n  to find the step, add these to the file: h, dh\n");
    step.models[0].missing = {"a", "b", "c", "d", "e", "f", "g", "i"};
    CHECK(contains(blame(step, presentation()), "add these to the file: a, b, c, d, e, f, … (8)\n"));
}

TEST_CASE("blame: what shows nothing is said, and nobody is blamed for it") {
    NamedFinding vacuous = exact("bndiff2", {2, 5});
    vacuous.verdict = Verdict::vacuous;
    NamedFinding out = exact("bnvar", {5});
    out.verdict = Verdict::out_of_range;
    const ComparedStep step = with_isolated(step_of(0, {vacuous, vacuous, out, exact("loss", {})}),
                                            {isolated("h", trial(0.5), trial(0, Verdict::vacuous))});
    CHECK(blame(step, presentation()) ==
          "vacuous, which shows nothing: bndiff2, h\nout-of-range, which shows nothing: bnvar\n");
    // Nor is it the first divergence where something is wrong.
    CHECK(blame(with_culprit({vacuous}), presentation()).starts_with("first divergence dW1, culprit dbnvar"));
}

TEST_CASE("blame: with two models each is named") {
    ComparedStep step = with_culprit();
    step.models.push_back(step.models[0]);
    step.models[1].model = "fused";
    const std::string text = blame(step, presentation());
    CHECK(text.starts_with("stepwise: first divergence dW1, culprit dbnvar"));
    CHECK(contains(text, "\nfused: first divergence dW1, culprit dbnvar"));
}

TEST_CASE("only what the filter takes is shown, in both tables") {
    ComparedStep step = with_isolated(step_of(0, {exact("C", {2}), exact("dC", {2}), exact("dW1", {2})}),
                                      {isolated("h", trial(0), trial(0)), isolated("dh", trial(0), trial(0))});
    const std::vector<std::string> lines =
        lines_of(table(step, presentation([](const std::string& name) { return name.starts_with("d"); })));
    REQUIRE(lines.size() == 8);
    CHECK(lines[3].starts_with("  dC "));
    CHECK(lines[4].starts_with("  dW1 "));
    CHECK(lines[7].starts_with("  dh "));
    CHECK(lines_of(table(step, presentation([](const std::string&) { return false; }))).size() == 1);
}

TEST_CASE("colour changes no letter, and is used only where it is asked for") {
    const ComparedStep step = with_culprit();
    const auto in = [&](bool colour) { return written(step, presentation(), ShownRows::all, {.colour = colour}); };
    CHECK(in(false).find('\x1b') == std::string::npos);
    CHECK(contains(in(true), "\x1b[32mexact\x1b[0m"));
    CHECK(contains(in(true), "\x1b[32mwithin\x1b[0m"));
    CHECK(contains(in(true), "\x1b[1;31mmismatch\x1b[0m"));
    CHECK(contains(in(true), "\x1b[1;31mfirst divergence dW1, culprit dbnvar\x1b[0m"));
    CHECK(contains(in(true), "\x1b[1;31mthey disagree\x1b[0m"));
    CHECK(without_escapes(in(true)) == in(false));
}

TEST_CASE("a verdict that is allowed is marked as open, and stands last") {
    NamedFinding zero = exact("C", {2});
    zero.verdict = Verdict::vacuous;
    const ComparedStep step =
        with_isolated(step_of(0, {zero, exact("dC", {2})}), {isolated("h", trial(0.5), trial(0, Verdict::vacuous))});
    const auto shown = [&](const std::set<Verdict>& allowed) {
        const Summary summary = summary_of({step}, allowed);
        return to_text(compare_document(presentation(), summary, {step}, ShownRows::all, {""}), {.colour = true});
    };
    const std::string refused = shown({}), accepted = shown({Verdict::vacuous});
    CHECK(contains(refused, "\x1b[1;31mvacuous\x1b[0m"));
    CHECK(refused.find("\n  C ") < refused.find("\n  dC "));
    CHECK(contains(accepted, "\x1b[33mvacuous\x1b[0m"));
    CHECK_FALSE(contains(accepted, "\x1b[1;31m"));
    CHECK(accepted.find("\n  C ") > accepted.find("\n  dC "));
}

TEST_CASE("one screen: the verdict, the root cause, what to do next, and a table of what inherits from none") {
    ComparedStep step = with_culprit();
    add_finding(step, within("dW1", {6, 5}, 3e-5, 1e-5), "stepwise", Against::module);
    add_finding(step, within("C", {2}, 3e-5, 1e-5), "stepwise", Against::module);
    const std::string text = written(step, presentation(), ShownRows::disagreeing, {});
    const std::vector<std::string> lines = lines_of(text);
    const auto starts = [&](const std::string& begin) {
        return std::ranges::count_if(lines, [&](const std::string& line) { return line.starts_with(begin); });
    };
    CHECK(starts("  dbnvar  ") == 0);
    CHECK(starts("  dW1 ") == 0);
    CHECK(starts("  C ") == 1);  // which disagrees with the module only
    CHECK(starts("  loss ") == 0);
    CHECK(lines.at(2) == "One step is wrong, that of dbnvar; 2 other tensors inherit its error.");
    const std::size_t verdict =
        text.find("\nthey disagree: 4 of 5 tensors (5 of 6 comparisons) over 1 step, 1 of 2 isolated");
    const std::size_t culprit = text.find("\nfirst divergence dW1, culprit dbnvar\n"),
                      next = text.find("\nnext: byhand compare --tensor x\n");
    CHECK(verdict < culprit);
    CHECK(culprit < next);
    CHECK(next < text.find("  C "));
    CHECK(text.find("  C ") != std::string::npos);
    CHECK_FALSE(contains(text, "isolated steps of"));
    CHECK(std::ranges::all_of(lines, [](const std::string& line) { return width_of(line) < 80; }));
}

TEST_CASE("a legend names the words that a report shows, and no others, and explains those that decide nothing") {
    NamedFinding rounding = within("db1", {5}, 1e-9, 1e-8);
    rounding.verdict = Verdict::undecided;
    const ComparedStep step =
        with_isolated(step_of(0, {rounding, within("dC", {2}, 1, 4)}), {isolated("h", trial(0.25), trial(0.5))});
    const std::string text = written(step, presentation(), ShownRows::disagreeing, {.width = 200});
    CHECK(contains(text, "\nbyhand explain WORD explains within, undecided, \"of limit\", isolated, \"end to end\"\n"));
    CHECK(contains(text, "\nundecided: The verdict on a value that consists of little but rounding, "));
    CHECK_FALSE(contains(text, "within: "));
    const Document document =
        compare_document(presentation(), summary_of({step}), {step}, ShownRows::disagreeing, {""});
    CHECK(contains(to_html(document), "no more than rounding explains"));
    const std::string short_text = written(with_culprit(), presentation(), ShownRows::disagreeing, {.width = 200});
    CHECK_FALSE(contains(short_text, "byhand explain WORD"));
}

TEST_CASE("one screen: on agreement the values nearest to their limits, and how many of each verdict") {
    ComparedStep step = step_of(2, {exact("C", {2}), within("dC", {2}, 1, 4), within("h", {2}, 3, 4),
                                    within("dh", {2}, 1, 2), within("dW1", {2}, 1, 10)});
    step = with_isolated(step, {isolated("h", trial(0.25), trial(0.875)), isolated("dh", trial(0), trial(0))});
    add_finding(step, within("h", {2}, 1, 4), "stepwise", Against::module);
    const Summary summary = summary_of({step});
    const std::string text =
        to_text(compare_document(presentation(), summary, {step}, ShownRows::disagreeing, {""}), {});
    const std::vector<std::string> lines = lines_of(text);
    CHECK(lines.at(0) == "stepwise against LibTorch 1.13.0: recipe notes, 2 rows, seed 7");
    CHECK(lines.size() < 24);
    std::vector<std::string> nearest;
    const auto title = static_cast<std::size_t>(std::ranges::find(lines, "nearest to their limits") - lines.begin());
    for (std::size_t i = title + 2; i < lines.size() && !lines[i].empty(); ++i) {
        nearest.push_back(lines[i].substr(2, lines[i].find(' ', 2) - 2) + lines[i].substr(lines[i].rfind(' ', 74) - 5));
    }
    CHECK(nearest == std::vector<std::string>{"h 75.0 %", "dh 50.0 %", "dC 25.0 %"});
    CHECK(contains(text, "\n  exact             1         0\n  within            5         2\n"));
    CHECK(contains(text, "\nthey agree: 5 tensors (6 comparisons) over 1 step, 2 isolated steps; nearest to"));
    CHECK_FALSE(contains(text, "to repeat"));
}
