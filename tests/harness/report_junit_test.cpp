#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "harness/report.h"
#include "harness/results.h"
#include "harness/xml.h"

using namespace byhand;
using namespace byhand::test;

namespace {

using Keys = std::set<std::string>;

Keys keys_of(const Element& element) {
    Keys keys;
    for (const auto& [key, value] : element.attributes) {
        keys.insert(key);
    }
    return keys;
}

std::size_t children_with(const Element& suite, const std::string& name) {
    return static_cast<std::size_t>(std::ranges::count_if(suite.children, [&](const Element& one) {
        return std::ranges::any_of(one.children, [&](const Element& child) { return child.name == name; });
    }));
}

// What both Ant's schema and Jenkins' ask for: which elements in which order, which attributes and of what form.
void check_case(const Element& one) {
    CHECK(keys_of(one) == Keys{"classname", "name", "time"});
    CHECK_FALSE(one.attributes.at("name").empty());
    CHECK_FALSE(one.attributes.at("classname").empty());
    CHECK(std::regex_match(one.attributes.at("time"), std::regex("[0-9]+(\\.[0-9]+)?")));
    CHECK(one.children.size() <= 1);
    for (const Element& child : one.children) {
        CHECK((child.name == "failure" || child.name == "skipped"));
        CHECK(child.children.empty());
        CHECK_FALSE(child.attributes.at("message").empty());
        CHECK(keys_of(child) == (child.name == "failure" ? Keys{"message", "type"} : Keys{"message"}));
    }
}

void check_suite(const Element& suite, std::size_t id) {
    CHECK(suite.name == "testsuite");
    CHECK(keys_of(suite) ==
          Keys{"errors", "failures", "hostname", "id", "name", "package", "skipped", "tests", "time", "timestamp"});
    CHECK(suite.attributes.at("id") == std::to_string(id));
    CHECK(std::regex_match(suite.attributes.at("timestamp"),
                           std::regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")));
    CHECK(std::regex_match(suite.attributes.at("time"), std::regex("[0-9]+(\\.[0-9]+)?")));
    REQUIRE(suite.children.size() >= 3);
    CHECK(suite.children.front().name == "properties");
    CHECK(suite.children[suite.children.size() - 2].name == "system-out");
    CHECK(suite.children.back().name == "system-err");
    const std::size_t cases = suite.children.size() - 3;
    for (std::size_t i = 1; i <= cases; ++i) {
        CHECK(suite.children[i].name == "testcase");
        check_case(suite.children[i]);
    }
    CHECK(suite.attributes.at("tests") == std::to_string(cases));
    CHECK(suite.attributes.at("failures") == std::to_string(children_with(suite, "failure")));
    CHECK(suite.attributes.at("skipped") == std::to_string(children_with(suite, "skipped")));
    CHECK(suite.attributes.at("errors") == "0");
}

Element report(const std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed = {},
               const Presentation& how = presentation()) {
    Element root = XmlReader::document(to_junit(how, summary_of(steps, allowed), steps));
    CHECK(root.name == "testsuites");
    CHECK(root.attributes.empty());
    CHECK(root.children.size() == steps.size());
    for (std::size_t i = 0; i < root.children.size(); ++i) {
        check_suite(root.children[i], i);
    }
    return root;
}

const Element& case_of(const Element& suite, const std::string& classname, const std::string& name) {
    for (const Element& one : suite.children) {
        if (one.name == "testcase" && one.attributes.at("classname") == classname &&
            one.attributes.at("name") == name) {
            return one;
        }
    }
    FAIL("no test case " << classname << " " << name);
    return suite;
}

TensorResult with_verdict(const std::string& name, Verdict verdict) {
    TensorResult r = exact(name, {2});
    r.verdict = verdict;
    return r;
}

}  // namespace

TEST_CASE("JUnit: a suite a step, a test case a tensor and one for each step alone") {
    Trial off = trial(1e4);
    off.hint = "the negative of the right answer";
    ComparedStep step =
        with_alone(step_of(3, {exact("C", {4, 2}), within("dC", {4, 2}, 2e-5, 1e-5)}),
                   {alone("h", trial(0.25), trial(0.5)), alone("dC", off, off), alone("dh", trial(0), trial(9))});
    step.tensors.push_back({"stepwise", "module", within("dC", {4, 2}, 2e-5, 4e-5)});
    const Element root = report({step_of(0, {exact("C", {4, 2})}), step});
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
    CHECK(tensor.text.find("largest difference from LibTorch: 2e-05\n") != std::string::npos);
    CHECK(tensor.text.find("limit at the worst element: 1e-05\n") != std::string::npos);
    CHECK(tensor.text.find("worst element, by the oracle: 0.125\n") != std::string::npos);

    const Element& wrong = case_of(suite, "stepwise.alone", "dC").children.at(0);
    CHECK(wrong.attributes.at("message") ==
          "wrong: mismatch: dC row '.', dimension 1, the negative of the right answer");
    CHECK(wrong.text.find("function_of_dC src/manual/some.h:17\ndC = what it should be\n") != std::string::npos);
    CHECK(case_of(suite, "stepwise.alone", "dh")
              .children.at(0)
              .attributes.at("message")
              .starts_with("wrong, without effect on this network: mismatch: dh row 0, unit 1"));
    StepAlone only_in_double = alone("h", trial(0.25), trial(0.5));
    only_in_double.real_double = trial(9);
    const Element other = report({with_alone(step_of(0, {exact("C", {2})}), {only_in_double})});
    const Element& told = case_of(other.children[0], "stepwise.alone", "h").children.at(0);
    CHECK(told.attributes.at("message").starts_with("wrong: mismatch in double: h row"));
    CHECK(told.text.find("in double: mismatch; error 9") != std::string::npos);
}

TEST_CASE("JUnit: what is no agreement fails; what is allowed or undecided is skipped") {
    for (const Verdict verdict : {Verdict::mismatch, Verdict::non_finite, Verdict::shape, Verdict::missing,
                                  Verdict::unwritten, Verdict::vacuous, Verdict::out_of_range}) {
        const Element root = report({step_of(0, {with_verdict("dh", verdict)})});
        CHECK(case_of(root.children[0], "stepwise.stepwise", "dh").children.at(0).name == "failure");
        CHECK(case_of(root.children[0], "stepwise.stepwise", "dh").children.at(0).attributes.at("type") ==
              to_string(verdict));
    }
    const std::set<Verdict> allowed = {Verdict::vacuous, Verdict::out_of_range};
    for (const Verdict verdict : allowed) {
        const Element root = report({step_of(0, {with_verdict("dh", verdict)})}, allowed);
        CHECK(case_of(root.children[0], "stepwise.stepwise", "dh").children.at(0).name == "skipped");
    }
    const Element root = report({step_of(0, {with_verdict("dh", Verdict::undecided)})});
    CHECK(case_of(root.children[0], "stepwise.stepwise", "dh").children.at(0).name == "skipped");
}

TEST_CASE("JUnit: a fault of the lists is a failure of its own") {
    ComparedStep step = with_alone(step_of(0, {exact("C", {2})}), {alone("h", trial(0), trial(0))});
    step.blamed[0].culprits = {{"dW1", "f", "no step makes it", {}, false}};
    const Element root = report({step});
    CHECK(case_of(root.children[0], "stepwise.order", "dW1").children.at(0).attributes.at("message") ==
          "dW1 no step makes it");
}

TEST_CASE("JUnit: whatever the characters are, the report is well-formed") {
    TensorResult r = missing("<a href=\"x\">&amp;</a>]]>");
    r.note =
        std::string("bell \a, null ") + '\0' +
        ", escape \x1b[31m, DEL \x7f, C1 \xc2\x9b, tab \t, line\nend, cut \xe2\x82" +
        " alone \xff, overlong \xc0\xaf, \xe0\x80\xaf, surrogate \xed\xa0\x80, none \xef\xbf\xbf, euro \xe2\x82\xac";
    Presentation how = presentation();
    how.recipe = "my \"recipe\" & co";
    how.characters = {".", "<", "&", "\""};
    const Element root = report({step_of(0, {r, within("dlogits", {2, 4}, 2, 1)})}, {}, how);
    const Element& one = case_of(root.children[0], "stepwise.stepwise", "<a href=\"x\">&amp;</a>]]>");
    const std::string text = one.children.at(0).text, bad = "\xef\xbf\xbd";
    CHECK(text.starts_with("bell " + bad + ", null " + bad + ", escape " + bad + "[31m, DEL " + bad + ", C1 " + bad +
                           ", tab " + bad + ", line\nend, cut " + bad + bad + " alone " + bad + ", overlong " + bad +
                           bad + ", "));
    CHECK(text.find("none " + bad + ", euro \xe2\x82\xac\n") != std::string::npos);
    CHECK(text.find('\xed') == std::string::npos);
    CHECK(root.children[0].children[0].children[0].attributes.at("value") == "my \"recipe\" & co");
    CHECK(case_of(root.children[0], "stepwise.stepwise", "dlogits").children.at(0).attributes.at("message") ==
          "mismatch: dlogits row 1 (`&\"< → .`), '\"'");
}

TEST_CASE("JUnit: only what the filter takes, and the same bytes again") {
    const std::vector<ComparedStep> steps = {
        with_alone(step_of(0, {exact("C", {2}), exact("dC", {2})}), {alone("h", trial(0), trial(0))})};
    const Presentation how = presentation([](const std::string& name) { return name == "dC"; });
    CHECK(report(steps, {}, how).children[0].attributes.at("tests") == "1");
    CHECK(to_junit(how, summary_of(steps), steps) == to_junit(how, summary_of(steps), steps));
    CHECK(report({}).children.empty());
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
