#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checks/faults/mistakes.h"
#include "documents/compare.h"
#include "documents/explain.h"
#include "documents/page.h"

using namespace byhand;
using namespace byhand::test;

namespace {

// How many pieces the lines have along which an error goes.
std::size_t bad_lines(const Element& page) {
    std::size_t lines = 0;
    for (const Element* path : all(page, "path", "bad")) {
        const std::string& d = path->attributes.at("d");
        lines += static_cast<std::size_t>(std::ranges::count(d, 'M'));
    }
    return lines;
}

}  // namespace

TEST_CASE("HTML: a culprit's hints and the smallest input that shows it; numbers are by hand or given") {
    ComparedStep step = with_culprit();
    Trial& shown = evidence_in(step);
    shown.mistake = find_mistake("sign-dbnvar");
    shown.smallest = smallest_input("dh", "W2");
    Presentation how = presentation();
    const Element page = read(html({step}, how));
    CHECK(text_of(*all(page, "pre").at(0)).find("const float W2[1] = {3};") != std::string::npos);
    CHECK(text_of(page).find("the known mistake sign-dbnvar produces these numbers: ") != std::string::npos);
    CHECK(text_of(page).find("by hand, 3.5") != std::string::npos);
    how.whose = Whose::given;
    const std::string given = text_of(read(html({step}, how)));
    CHECK(given.find("3.250000 given, 3.500000 by LibTorch") != std::string::npos);
    CHECK(given.find("byhand's own: src/manual/some.h:17") != std::string::npos);
    CHECK(given.find("by hand") == std::string::npos);
}

TEST_CASE("HTML: a root cause is distinct from what inherits from it, in words and not by colour only") {
    const Element root = read(html({with_culprit()}));
    CHECK(has_class(box_of(root, "dh"), "culprit"));
    CHECK(text_of(box_of(root, "dh")).find("culprit") != std::string::npos);
    CHECK(has_class(box_of(root, "dW1"), "heir"));
    CHECK(text_of(box_of(root, "dW1")).find("inherited from dh") != std::string::npos);
    CHECK(has_class(box_of(root, "new_W1"), "heir"));
    CHECK(text_of(box_of(root, "new_W1")).find("↳ new_W1") != std::string::npos);
    CHECK(has_class(box_of(root, "h"), "ok"));
    CHECK(has_class(box_of(root, "C"), "same"));
    CHECK(text_of(row_of(root, "dh").children.at(0)).find("culprit") != std::string::npos);
    CHECK(text_of(row_of(root, "dhpreact").children.at(0)).find("inherited") != std::string::npos);
    CHECK(text_of(row_of(root, "h").children.at(0)).find("within") != std::string::npos);

    const Elements cards = all(root, "article", "culprit");
    REQUIRE(cards.size() == 1);
    const std::string card = text_of(*cards[0]);
    for (const char* said : {"= what it should be", "function_of_dh", "src/manual/some.h:17", "twice the right answer",
                             "wrong on this batch: error", "dhpreact", "dW1", "new_W1"}) {
        CAPTURE(said);
        CHECK(card.find(said) != std::string::npos);
    }
    // A link for each of the values that it names.
    CHECK(all(*cards[0], "a").size() >= 5);
    CHECK(
        std::ranges::any_of(all(*cards[0], "a"), [](const Element* a) { return a->attributes.at("href") == "#dW1"; }));
    // The lines of the error: to dhpreact, to dW1, and within the row of W1 to its update.
    CHECK(bad_lines(root) == 3);
    CHECK(all(root, "a", "end").empty());
}

TEST_CASE("HTML: a line of the error that leaves a column goes on in the other") {
    ComparedStep step = step_of(3, {exact("W1", {6, 5})});
    for (const auto& [name, share] :
         std::vector<std::pair<std::string, double>>{{"dlogits", 900}, {"dh", 70}, {"dhpreact", 0.5}}) {
        add_drawn(step, name, share);
    }
    const Trial off = trial(1e4);
    const Element root =
        read(html({with_isolated(std::move(step), {isolated("dlogits", off, off)}, {{"dh", "dlogits"}})}));
    const Elements ends = all(root, "a", "end");
    REQUIRE(ends.size() == 2);
    const auto has = [&](const std::string& text, const std::string& to) {
        return std::ranges::any_of(ends, [&](const Element* end) {
            return text_of(*end).find(text) != std::string::npos && end->attributes.at("href") == to;
        });
    };
    CHECK(has("from ", "#dlogits"));
    CHECK(has("to ", "#dh"));
    CHECK(bad_lines(root) == 2);
}

TEST_CASE("HTML: a culprit's row lists the common mistakes of its step") {
    ComparedStep step = with_culprit();
    CHECK(text_of(read(html({step}))).find("common mistakes") == std::string::npos);
    const Mistake* mistake = find_mistake("upstream-forgotten");
    REQUIRE(mistake != nullptr);
    value_in(report_of(step), "dh").mistakes = {mistake};
    const Element root = read(html({step}));
    const std::string text = text_of(row_of(root, "dh"));
    CHECK(text.find("common mistakes") != std::string::npos);
    CHECK(text.find(mistake->what) != std::string::npos);
    CHECK(text_of(row_of(root, "dhpreact")).find("common mistakes") == std::string::npos);
}

TEST_CASE("HTML: the details of a row") {
    const Element root = read(html({with_culprit()}));
    const Element& row = row_of(root, "dh");
    const Elements opened = all(row, "div", "opened");
    REQUIRE(opened.size() == 1);
    CHECK(opened[0]->attributes.at("id") == "dh");
    const std::string text = text_of(*opened[0]);
    for (const char* said :
         {"how the loss changes with h: the layer's result", "dh = what it should be", "function_of_dh",
          "src/manual/some.h:17", "reads", "read by", "batch row, 0 to 1", "unit, 0 to 2", "mqe → .", "unit 2",
          "30,000×", "wrong: mismatch", "of 6 elements: 1 without any error, 4 within the limit, 1 over the limit"}) {
        CAPTURE(said);
        CHECK(text.find(said) != std::string::npos);
    }
    CHECK(all(row, "details").size() == 1);
    CHECK(all(row, "summary").size() == 1);
    CHECK(text.find('`') == std::string::npos);
    CHECK(all(table_of(row, "The 2 worst elements of dh"), "tr").size() == 3);  // a header, two elements
    const Elements heat = all(row, "svg", "heat");
    REQUIRE(heat.size() == 1);
    CHECK(classes(*heat[0], {"path", "rect"}) == std::set<std::string>{"l0", "l1", "l2", "l3", "l4", "l10"});
    // Every path but the ground's has a cell at its place.
    CHECK(all(*heat[0], "path", "l10").at(0)->attributes.at("d") == "M2 1h1");
}

TEST_CASE("HTML: a heatmap has the classes of the tensor's own range beyond the limit, each with its words") {
    ComparedStep step = with_culprit();
    Picture picture = *value_in(report_of(step), "dh").picture;
    picture.rows = 12;
    picture.columns = 1;
    picture.block_rows = 3;
    picture.shares.clear();
    for (int i = 0; i < 12; ++i) {
        picture.shares.push_back(static_cast<float>(std::pow(10.0, 3 + i / 4.0)));
    }
    picture.bins = {};
    picture.bins[20] = 6;
    value_in(report_of(step), "dh").picture = std::make_shared<const Picture>(picture);
    const Element root = read(html({step}));
    const Element& figure = *all(row_of(root, "dh"), "figure").at(0);
    CHECK(classes(figure, {"path", "rect"}) == std::set<std::string>{"l5", "l6", "l7", "l8", "l9", "l10"});
    CHECK(classes(figure, {"circle"}) == classes(figure, {"path", "rect"}));
    CHECK(text_of(figure).find("≤ 562,341×") != std::string::npos);
    CHECK(text_of(figure).find("≤ its limit") == std::string::npos);
    std::string indices;
    for (const Element* label : all(figure, "text")) {
        indices += has_class(*label, "key") ? "" : label->text + " ";
    }
    CHECK(indices == "0 3 6 9 12 15 18 21 24 27 30 33 ");
    CHECK(text_of(row_of(root, "dh")).find("of 6 elements: all over the limit") != std::string::npos);
}

TEST_CASE("HTML: a tensor's figures are the columns that the other formats have") {
    const Element root = read(html({with_culprit()}));
    const Element& table = table_of(row_of(root, "dh"), "Against LibTorch");
    std::set<std::string> heads;
    for (const Element* head : all(*all(table, "thead").at(0), "th")) {
        heads.insert(head->text);
    }
    CHECK(heads.contains("reference"));
    const std::set<std::string> elsewhere = {"name", "shape", "count", ""};
    for (const Column& column : tensor_table("", Whose::by_hand).columns) {
        CAPTURE(column.key);
        if (column.align != Align::hidden) {
            CHECK(heads.contains(column.title) != elsewhere.contains(column.key));
        }
    }
    CHECK(text_of(table).find("stepwise") != std::string::npos);
}

TEST_CASE("HTML: marks stand where the scale has them") {
    const Element root = read(html({with_culprit()}));
    const auto place = [&](const std::string& name, const std::string& kind, const std::string& style) {
        for (const Element* circle : all(row_of(root, name), kind, style)) {
            if (style.empty() == !circle->attributes.contains("class")) {
                return std::stod(circle->attributes.at(kind == "line" ? "x1" : "cx"));
            }
        }
        FAIL("no mark in the row of " << name);
        return 0.0;
    };
    const double limit = place("dh", "line", "limit");
    CHECK(limit == place("dlogits", "line", "limit"));
    CHECK(place("dh", "circle", "") > limit);
    CHECK(place("dh", "circle", "torch") < limit);
    CHECK(place("dlogits", "circle", "") < limit);
    CHECK(place("dlogits", "circle", "torch") > place("dlogits", "circle", ""));  // 0.3 after 0.25
    CHECK(place("dW1", "circle", "") < place("dhpreact", "circle", ""));
    CHECK(all(row_of(root, "C"), "circle").empty());  // no error at all
}

TEST_CASE("HTML: verdicts without figures are in words") {
    for (const Verdict verdict : {Verdict::non_finite, Verdict::shape, Verdict::missing, Verdict::unwritten,
                                  Verdict::vacuous, Verdict::out_of_range, Verdict::undecided}) {
        NamedFinding r;
        r.name = "dh";
        r.shape = {2, 5};
        r.verdict = verdict;
        const Element root = read(html({step_of(0, {r})}));
        CHECK(text_of(row_of(root, "dh").children.at(0)).find(to_string(verdict)) != std::string::npos);
        const ReportWord* const word = find_word(to_string(verdict));
        const std::string meaning = word == nullptr ? "" : word->meaning.substr(word->meaning.find(" value"));
        CHECK(text_of(row_of(root, "dh")).find(meaning) != std::string::npos);
        CHECK(text_of(table_of(root, "Verdicts")).find(meaning) != std::string::npos);
    }
    NamedFinding r = exact("dh", {2, 5});
    r.verdict = Verdict::not_given;
    const Element given = read(html({step_of(0, {exact("h", {2, 5}), r})}));
    CHECK(all(given, "tbody", "opens").size() == 1);
    CHECK(text_of(given).find("not given: dh") != std::string::npos);
    r.verdict = Verdict::vacuous;
    const std::vector<ComparedStep> vacuous = {
        with_isolated(step_of(0, {r}), {isolated("dh", trial(0.5), trial(0, Verdict::vacuous))})};
    CHECK(has_class(box_of(read(html(vacuous)), "dh"), "off"));
    const Element allowed = read(html(vacuous, presentation(), {Verdict::vacuous}));
    CHECK(has_class(box_of(allowed, "dh"), "open"));
    CHECK(all(row_of(allowed, "dh"), "span", "open").size() == 3);  // its own, end to end, in isolation
    CHECK(all(allowed, "span", "off").empty());
}

TEST_CASE("HTML: a reference's worse verdict is the row's, and each has its line") {
    ComparedStep step = step_of(0, {within("dh", {2, 3}, 1e-7, 1e-6)});
    add_finding(step, within("dh", {2, 3}, 9e-6, 1e-6), "stepwise", Against::module);
    const Element root = read(html({step}));
    CHECK(all(root, "tbody", "opens").size() == 1);
    CHECK(text_of(row_of(root, "dh").children.at(0)).find("mismatch") != std::string::npos);
    CHECK(all(table_of(row_of(root, "dh"), "Against LibTorch"), "tr").size() == 3);
}
