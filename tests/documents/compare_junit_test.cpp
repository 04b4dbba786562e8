#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "documents/compare.h"
#include "harness/junit.h"
#include "harness/results.h"
#include "report/writers.h"

using namespace byhand;
using namespace byhand::test;

namespace {

Element read(const std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed = {},
             const Presentation& how = presentation()) {
    Element root = read_junit(report::junit(compare_suites(how, summary_of(steps, allowed), steps)));
    CHECK(root.children.size() == steps.size());
    return root;
}

}  // namespace

TEST_CASE("JUnit: a suite a step, a test case a tensor and one for each isolated step") {
    Trial off = trial(1e4);
    off.hint = "the negative of the right answer";
    ComparedStep step = with_isolated(
        step_of(3, {exact("C", {4, 2}), within("dC", {4, 2}, 2e-5, 1e-5)}),
        {isolated("h", trial(0.25), trial(0.5)), isolated("dC", off, off), isolated("dh", trial(0), trial(9))});
    add_finding(step, within("dC", {4, 2}, 2e-5, 4e-5), "stepwise", Against::module);
    const Element root = read({step_of(0, {exact("C", {4, 2})}), step});
    const Element& suite = root.children[1];
    CHECK(root.children[0].attributes.at("name") == "step 0");
    CHECK(suite.attributes.at("name") == "step 3");
    CHECK(suite.attributes.at("tests") == "6");
    CHECK(suite.attributes.at("failures") == "3");
    CHECK(case_of(suite, "stepwise.stepwise", "C").children.empty());
    CHECK(case_of(suite, "stepwise.module", "dC").children.empty());
    CHECK(case_of(suite, "stepwise.alone", "h").children.empty());

    const Element& tensor = case_of(suite, "stepwise.stepwise", "dC").children.at(0);
    CHECK(tensor.attributes.at("type") == "mismatch");
    CHECK(tensor.attributes.at("message") == "mismatch: dC row 'q', dimension 1, culprit");
    CHECK(tensor.text.find("max_abs_diff: 2e-05\n") != std::string::npos);
    CHECK(tensor.text.find("limit: 1e-05\n") != std::string::npos);
    CHECK(tensor.text.find("worst.oracle: 0.125\n") != std::string::npos);

    const Element& wrong = case_of(suite, "stepwise.alone", "dC").children.at(0);
    CHECK(wrong.attributes.at("message") ==
          "wrong: mismatch: dC row '.', dimension 1, the negative of the right answer");
    CHECK(wrong.text.find("function_of_dC src/manual/some.h:17\ndC = what it should be\n") != std::string::npos);
    CHECK(case_of(suite, "stepwise.alone", "dh")
              .children.at(0)
              .attributes.at("message")
              .starts_with("wrong, not on this batch: mismatch: dh row 0, unit 1"));
    IsolatedStep only_in_double = isolated("h", trial(0.25), trial(0.5));
    only_in_double.trials.push_back(in_double(trial(9), TrialInput::batch));
    const Element other = read({with_isolated(step_of(0, {exact("C", {2})}), {only_in_double})});
    const Element& told = case_of(other.children[0], "stepwise.alone", "h").children.at(0);
    CHECK(told.attributes.at("message").starts_with("wrong: mismatch in double: h row"));
    CHECK(told.text.find("in_double.error: 9") != std::string::npos);
}

TEST_CASE("JUnit: what is no agreement fails; what is allowed or undecided is skipped") {
    const auto outcome = [](Verdict verdict, const std::set<Verdict>& allowed = {}) {
        NamedFinding r = exact("dh", {2});
        r.verdict = verdict;
        return case_of(read({step_of(0, {r})}, allowed).children[0], "stepwise.stepwise", "dh").children.at(0);
    };
    for (const Verdict verdict : {Verdict::mismatch, Verdict::non_finite, Verdict::shape, Verdict::missing,
                                  Verdict::unwritten, Verdict::vacuous, Verdict::out_of_range}) {
        CHECK(outcome(verdict).name == "failure");
        CHECK(outcome(verdict).attributes.at("type") == to_string(verdict));
    }
    CHECK(outcome(Verdict::vacuous, {Verdict::vacuous}).name == "skipped");
    CHECK(outcome(Verdict::out_of_range, {Verdict::out_of_range}).name == "skipped");
    CHECK(outcome(Verdict::undecided).name == "skipped");
}

TEST_CASE("JUnit: a fault of the lists is a failure of its own") {
    const ComparedStep step = with_isolated(step_of(0, {exact("C", {2})}), {isolated("h", trial(0), trial(0))}, {},
                                            {{"dW1", "f", "no step makes it"}});
    const Element root = read({step});
    CHECK(case_of(root.children[0], "stepwise.order", "dW1").children.at(0).attributes.at("message") ==
          "dW1 no step makes it");
}

TEST_CASE("JUnit: whatever the characters are, the report is well-formed") {
    NamedFinding r = missing("<a href=\"x\">&amp;</a>]]>");
    r.note =
        std::string("bell \a, null ") + '\0' +
        ", escape \x1b[31m, DEL \x7f, C1 \xc2\x9b, tab \t, line\nend, cut \xe2\x82" +
        " alone \xff, overlong \xc0\xaf, \xe0\x80\xaf, surrogate \xed\xa0\x80, none \xef\xbf\xbf, euro \xe2\x82\xac";
    Presentation how = presentation();
    how.recipe = "my \"recipe\" & co";
    how.characters = {".", "<", "&", "\""};
    const Element root = read({step_of(0, {r, within("dlogits", {2, 4}, 2, 1)})}, {}, how);
    const Element& one = case_of(root.children[0], "stepwise.stepwise", "<a href=\"x\">&amp;</a>]]>");
    const std::string text = one.children.at(0).text;
    CHECK(text.find(R"(note: bell \x07, null \x00, escape \x1b[31m, DEL \x7f, C1 \xc2\x9b, tab \x09, line\x0aend, cut )"
                    R"(\xe2\x82 alone \xff, overlong \xc0\xaf, )") != std::string::npos);
    CHECK(text.find("none \xef\xbf\xbd, euro \xe2\x82\xac\n") != std::string::npos);
    CHECK(text.find('\xed') == std::string::npos);
    CHECK(root.children[0].children[0].children[0].attributes.at("value") == "my \"recipe\" & co");
    CHECK(case_of(root.children[0], "stepwise.stepwise", "dlogits").children.at(0).attributes.at("message") ==
          "mismatch: dlogits row 1 (`&\"< → .`), '\"'");
}

TEST_CASE("JUnit: where what disagrees is not shown, a failure says so") {
    const std::vector<ComparedStep> steps = {step_of(0, {exact("C", {2}), within("dW1", {6, 5}, 2e-5, 1e-5)})};
    const auto only = [](const std::string& shown) {
        return presentation([shown](const std::string& name) { return name == shown; });
    };
    const Element hidden = read(steps, {}, only("C")).children[0];
    CHECK(hidden.attributes.at("failures") == "1");
    CHECK(case_of(hidden, "stepwise.hidden", "dW1").children.at(0).attributes.at("message") ==
          "dW1 disagrees, and is not shown here");
    CHECK(read(steps, {}, only("dW1")).children[0].attributes.at("failures") == "1");
    CHECK(read({step_of(0, {exact("C", {2})})}, {}, only("C")).children[0].attributes.at("failures") == "0");
}

TEST_CASE("JUnit: only what the filter takes") {
    const std::vector<ComparedStep> steps = {
        with_isolated(step_of(0, {exact("C", {2}), exact("dC", {2})}), {isolated("h", trial(0), trial(0))})};
    const Presentation how = presentation([](const std::string& name) { return name == "dC"; });
    CHECK(read(steps, {}, how).children[0].attributes.at("tests") == "1");
    CHECK(read({}).children.empty());
}

TEST_CASE("the reader of XML refuses what is none") {
    const std::string head = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    CHECK(XmlReader::document(head + "<a b=\"&lt;\">t<c/></a>\n").children.size() == 1);
    for (const std::string bad : {"<a>", "<a></b>", "<a b=\"1\" b=\"2\"/>", "<a>&other;</a>", "<a b=\"<\"/>",
                                  "<a/><a/>", "<a>\x01</a>", "<a b=1/>", ""}) {
        CAPTURE(bad);
        CHECK_THROWS(XmlReader::document(head + bad));
    }
}
