#include "documents/page/page.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "documents/compare_tables.h"
#include "harness/faults/mistakes.h"
#include "harness/isolated/shrink.h"
#include "harness/results.h"
#include "harness/xml.h"

using namespace byhand;
using namespace byhand::test;

namespace {

using Elements = std::vector<const Element*>;

// Of network V 4, T 3, E 2, H 5: what leads to the loss, and some of what leads back.
Graph network() {
    Graph network;
    const auto add = [](StepList& list, const std::string& makes, const std::vector<std::string>& reads) {
        Step& step = list.emplace_back();
        step.makes = makes;
        step.reads = reads;
        step.in_float.name = "function_of_" + makes;
    };
    add(network.forward, "emb", {"C", "X"});
    add(network.forward, "embcat", {"emb"});
    add(network.forward, "hpreact", {"embcat", "W1"});
    add(network.forward, "h", {"hpreact"});
    add(network.forward, "logits", {"h", "W2"});
    add(network.forward, "loss", {"logits", "Y"});
    add(network.backward, "dlogits", {"loss"});
    add(network.backward, "dh", {"dlogits", "W2"});
    add(network.backward, "dhpreact", {"dh", "h"});
    add(network.backward, "dW1", {"embcat", "dhpreact"});
    add(network.update, "new_W1", {"W1", "dW1"});
    return network;
}

std::string html(std::vector<ComparedStep> steps, const Presentation& how = presentation(),
                 const std::set<Verdict>& allowed = {}, const std::string& again = "") {
    const Graph graph = network();
    for (ComparedStep& step : steps) {
        for (ModelReport& model : step.models) {
            for (ValueReport& value : model.values) {
                if (const Step* made_by = find_step(graph, value.name)) {
                    value.function = made_by->in_float.name;
                    value.reads = made_by->reads;
                }
            }
        }
    }
    return to_html(how, summary_of(steps, allowed), steps, {graph, again});
}

// The page is XML too.
Element read(const std::string& page) {
    const std::string doctype = "<!DOCTYPE html>\n";
    REQUIRE(page.starts_with(doctype));
    return XmlReader::document("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + page.substr(doctype.size()));
}

void visit(const Element& element, const std::function<void(const Element&)>& see) {
    see(element);
    for (const Element& child : element.children) {
        visit(child, see);
    }
}

bool has_class(const Element& element, const std::string& name) {
    const auto found = element.attributes.find("class");
    return found != element.attributes.end() && (" " + found->second + " ").find(" " + name + " ") != std::string::npos;
}

Elements all(const Element& root, const std::string& name, const std::string& style = "") {
    Elements found;
    visit(root, [&](const Element& element) {
        if (element.name == name && (style.empty() || has_class(element, style))) {
            found.push_back(&element);
        }
    });
    return found;
}

std::string text_of(const Element& root) {
    std::string text;
    visit(root, [&](const Element& element) { text += element.name == "style" ? "" : element.text + " "; });
    return text;
}

// The row of that tensor: figures, then its details.
const Element& row_of(const Element& page, const std::string& name) {
    for (const Element* body : all(page, "tbody", "tensor")) {
        if (body->children.at(0).children.at(0).text == name) {
            return *body;
        }
    }
    FAIL("no row of " << name);
    return page;
}

// The table with that caption, within a part of the page.
const Element& table_of(const Element& part, const std::string& caption) {
    for (const Element* table : all(part, "table")) {
        if (text_of(table->children.at(0)).find(caption) != std::string::npos) {
            return *table;
        }
    }
    FAIL("no table " << caption);
    return part;
}

std::vector<std::string> names_of_rows(const Element& page) {
    std::vector<std::string> names;
    for (const Element* body : all(page, "tbody", "tensor")) {
        names.push_back(body->children.at(0).children.at(0).text);
    }
    return names;
}

// How many pieces the lines have along which an error goes.
std::size_t bad_lines(const Element& page) {
    std::size_t lines = 0;
    for (const Element* path : all(page, "path", "bad")) {
        const std::string& d = path->attributes.at("d");
        lines += static_cast<std::size_t>(std::ranges::count(d, 'M'));
    }
    return lines;
}

const Element& box_of(const Element& page, const std::string& id) {
    for (const Element* link : all(page, "a", "box")) {
        if (link->attributes.at("href") == "#" + id) {
            return *link;
        }
    }
    FAIL("no box of " << id);
    return page;
}

// With a picture of 2 × 3 elements.
ValueReport& add_drawn(ComparedStep& step, const std::string& name, double share) {
    Picture picture;
    picture.rows = 2;
    picture.columns = 3;
    picture.shares = {0.0F, 0.005F, 0.05F, 0.2F, 0.7F, static_cast<float>(share)};
    picture.bins[0] = 1;
    picture.bins[8] = 4;
    picture.bins[share > 1 ? 18 : 9] = 1;
    picture.worst = {{{5, 0.5, 0.125, 0.25}, share * 1e-6, share}, {{4, 1, 3, 2}, 7e-7, 0.7}};
    picture.torch_share = 0.3;
    ValueReport& value = add_finding(step, within(name, {2, 3}, share * 1e-6, 1e-6));
    value.picture = std::make_shared<const Picture>(picture);
    return value;
}

// dh is wrong; dhpreact, dW1 and new_W1 have it from there.
ComparedStep with_culprit() {
    ComparedStep step = step_of(3, {exact("C", {4, 2}), exact("W1", {6, 5}), within("h", {2, 3}, 1e-7, 1e-6)});
    for (const auto& [name, share] : std::vector<std::pair<std::string, double>>{
             {"dlogits", 0.25}, {"dh", 3e4}, {"dhpreact", 900}, {"dW1", 70}, {"new_W1", 8}}) {
        add_drawn(step, name, share);
    }
    Trial off = trial(1e4);
    off.hint = "twice the right answer";
    return with_isolated(std::move(step), {isolated("dlogits", trial(0.25), trial(0.5)), isolated("dh", off, off)},
                         {{"dhpreact", "dh"}, {"dW1", "dh"}, {"new_W1", "dh"}});
}

}  // namespace

TEST_CASE("HTML: a culprit's hints and the smallest input that shows it; numbers are by hand or given") {
    ComparedStep step = with_culprit();
    Trial& shown = evidence_in(step);
    shown.mistake = "sign-dbnvar";
    shown.smallest = smallest_input("dh", "W2");
    Presentation how = presentation();
    const Element page = read(html({step}, how));
    CHECK(text_of(*all(page, "pre").at(0)).find("const float W2[1] = {3};") != std::string::npos);
    CHECK(text_of(page).find("this is what sign-dbnvar makes: ") != std::string::npos);
    CHECK(text_of(page).find("by hand, 3.5") != std::string::npos);
    how.whose = Whose::given;
    const std::string given = text_of(read(html({step}, how)));
    CHECK(given.find("3.250000 given, 3.500000 by LibTorch") != std::string::npos);
    CHECK(given.find("byhand's own: src/manual/some.h:17") != std::string::npos);
    CHECK(given.find("by hand") == std::string::npos);
}

TEST_CASE("HTML: the verdict on top, a row for each tensor, nothing from elsewhere") {
    const std::vector<ComparedStep> steps = {with_culprit()};
    const std::string page = html(steps, presentation(), {}, "byhand compare --plant <this>");
    const Element root = read(page);
    CHECK(text_of(*all(root, "h1").at(0)).find("They disagree") != std::string::npos);
    CHECK(text_of(*all(root, "header").at(0)).find("first is dh") != std::string::npos);
    CHECK(names_of_rows(root) ==
          std::vector<std::string>{"dh", "dhpreact", "dW1", "new_W1", "h", "dlogits", "C", "W1"});
    CHECK(text_of(*all(root, "tbody", "group").at(0)).find("Disagreeing") != std::string::npos);
    CHECK(all(root, "details").size() == 8);
    for (const Element* details : all(root, "details")) {
        CHECK(details->attributes.contains("open") ==
              (all(*details, "div", "opened").at(0)->attributes.at("id") == "dh"));
    }
    CHECK(all(root, "tbody", "tensor").size() == 8);
    CHECK(all(root, "script").empty());
    CHECK(all(root, "link").empty());
    CHECK(all(root, "img").empty());
    CHECK(page.find("url(") == std::string::npos);
    CHECK(page.find("@import") == std::string::npos);
    CHECK(text_of(root).find("byhand compare --plant <this>") != std::string::npos);
    std::set<std::string> ids;
    visit(root, [&](const Element& element) {
        if (element.attributes.contains("id")) {
            CHECK(ids.insert(element.attributes.at("id")).second);
        }
    });
    visit(root, [&](const Element& element) {
        for (const char* key : {"href", "aria-labelledby"}) {
            const auto found = element.attributes.find(key);
            if (found != element.attributes.end()) {
                const std::string& to = found->second;
                CAPTURE(to);
                CHECK(ids.contains(to.starts_with('#') ? to.substr(1) : to));
            }
        }
    });
    const std::vector<ComparedStep> right = {step_of(0, {exact("C", {4, 2}), within("h", {2, 5}, 1e-7, 1e-6)})};
    CHECK(text_of(*all(read(html(right)), "h1").at(0)).find("They agree") != std::string::npos);
}

TEST_CASE("HTML: the header has what makes the same page again, and a planted mistake") {
    Presentation how = presentation();
    how.command = "byhand compare --plant sign-dbnvar <x>";
    how.recipe = "notes";
    how.seed = 4711;
    how.rows = 1234;
    how.torch_version = "9.8.7";
    const auto header = [&] { return text_of(*all(read(html({with_culprit()}, how)), "header").at(0)); };
    for (const char* part : {"byhand compare --plant sign-dbnvar <x>", "notes", "4711", "1,234", "9.8.7"}) {
        CAPTURE(part);
        CHECK(header().find(part) != std::string::npos);
    }
    CHECK(header().find("planted") == std::string::npos);
    how.planted = "sign-dbnvar";
    CHECK(header().find("A mistake was planted") < header().find("They disagree"));
    CHECK(header().find(find_mistake("sign-dbnvar")->what) != std::string::npos);
}

TEST_CASE("HTML: the marks add up to the number of tensors") {
    ComparedStep step = with_culprit();
    add_finding(step, within("h", {2, 3}, 1e-7, 1e-6), "stepwise", Against::module);
    NamedFinding not_given = exact("embcat", {2, 5});
    not_given.verdict = Verdict::not_given;
    add_finding(step, not_given);
    const Element root = read(html({step}));
    CHECK(text_of(root).find("8 tensors (1 of them compared with both") != std::string::npos);
    CHECK(text_of(root).find(": 9 comparisons)") != std::string::npos);
    std::size_t sum = 0;
    for (const Element* item : all(*all(root, "ul", "counts").at(0), "li")) {
        const std::string text = text_of(*item);
        sum += text.find("not counted") != std::string::npos ? 0
                                                             : std::stoul(text.substr(text.find_first_of("123456789")));
    }
    CHECK(sum == 8);
}

TEST_CASE("HTML: a root cause is distinct from what inherits from it, in words and not by colour only") {
    const Element root = read(html({with_culprit()}));
    CHECK(has_class(box_of(root, "dh"), "culprit"));
    CHECK(text_of(box_of(root, "dh")).find("culprit") != std::string::npos);
    CHECK(has_class(box_of(root, "dW1"), "heir"));
    CHECK(text_of(box_of(root, "dW1")).find("inherited from dh") != std::string::npos);
    CHECK(has_class(box_of(root, "new_W1"), "heir"));
    CHECK(text_of(box_of(root, "new_W1")).find("new_W1") == 0);
    CHECK(has_class(box_of(root, "h"), "ok"));
    CHECK(has_class(box_of(root, "C"), "same"));
    CHECK(text_of(row_of(root, "dh").children.at(0)).find("culprit") != std::string::npos);
    CHECK(text_of(row_of(root, "dhpreact").children.at(0)).find("inherited") != std::string::npos);
    CHECK(text_of(row_of(root, "h").children.at(0)).find("within") != std::string::npos);

    const Elements cards = all(root, "article", "culprit");
    REQUIRE(cards.size() == 1);
    const std::string card = text_of(*cards[0]);
    for (const char* said : {"= what it should be", "function_of_dh", "src/manual/some.h:17", "twice the right answer",
                             "wrong in isolation: off by", "dhpreact", "dW1", "new_W1"}) {
        CAPTURE(said);
        CHECK(card.find(said) != std::string::npos);
    }
    // A link for each of the values that it names.
    CHECK(all(*cards[0], "a").size() >= 5);
    CHECK(
        std::ranges::any_of(all(*cards[0], "a"), [](const Element* a) { return a->attributes.at("href") == "#dW1"; }));
    // The lines of the error: to dhpreact, to dW1, and within the row of W1 to its update.
    CHECK(bad_lines(root) == 3);
    CHECK(all(root, "span", "end").empty());
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
    const Elements ends = all(root, "span", "end");
    REQUIRE(ends.size() == 2);
    const auto has = [&](const std::string& text, const std::string& to) {
        return std::ranges::any_of(ends, [&](const Element* end) {
            return text_of(*end).starts_with(text) && all(*end, "a").at(0)->attributes.at("href") == to;
        });
    };
    CHECK(has("from ", "#dlogits"));
    CHECK(has("to ", "#dh"));
    CHECK(bad_lines(root) == 2);
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
          "30,000×", "wrong: mismatch", "of 6 elements 1 without any error, 4 within the limit, 1 over the limit"}) {
        CAPTURE(said);
        CHECK(text.find(said) != std::string::npos);
    }
    CHECK(all(row, "details").size() == 1);
    CHECK(all(row, "summary").size() == 1);
    CHECK(text.find('`') == std::string::npos);
    CHECK(all(table_of(row, "The 2 worst elements of dh"), "tr").size() == 3);  // a header, two elements
    const Elements heat = all(row, "svg", "heat");
    REQUIRE(heat.size() == 1);
    std::set<std::string> levels;
    for (const char* kind : {"path", "rect"}) {
        for (const Element* cells : all(*heat[0], kind)) {
            levels.insert(cells->attributes.at("class"));
        }
    }
    CHECK(levels == std::set<std::string>{"l0", "l1", "l2", "l3", "l4", "l10"});
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
    std::set<std::string> levels, keys;
    for (const char* kind : {"path", "rect"}) {
        for (const Element* cells : all(figure, kind)) {
            levels.insert(cells->attributes.at("class"));
        }
    }
    for (const Element* key : all(figure, "i")) {
        keys.insert(key->attributes.at("class"));
    }
    CHECK(levels == std::set<std::string>{"l5", "l6", "l7", "l8", "l9", "l10"});
    CHECK(keys == levels);
    CHECK(text_of(figure).find("≤ 562,341×") != std::string::npos);
    CHECK(text_of(figure).find("≤ its limit") == std::string::npos);
    std::string indices;
    for (const Element* label : all(figure, "text")) {
        indices += label->text + " ";
    }
    CHECK(indices == "0 3 6 9 12 15 18 21 24 27 30 33 ");
    CHECK(text_of(row_of(root, "dh")).find("all 6 over the limit") != std::string::npos);
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

TEST_CASE("HTML: every table has a caption and scopes, every image a label") {
    const std::vector<ComparedStep> steps = {step_of(0, {exact("C", {4, 2})}), with_culprit()};
    const Element root = read(html(steps));
    const Elements tables = all(root, "table");
    CHECK(tables.size() > 5);
    for (const Element* table : tables) {
        REQUIRE_FALSE(table->children.empty());
        CHECK(table->children[0].name == "caption");
        for (const Element* head : all(*table, "th")) {
            CHECK(head->attributes.contains("scope"));
        }
    }
    for (const Element* picture : all(root, "svg")) {
        CHECK((picture->attributes.contains("aria-label") || picture->attributes.contains("aria-hidden")));
    }
    CHECK(root.attributes.at("lang") == "en");
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

TEST_CASE("HTML: names and notes are text, whatever is in them") {
    ComparedStep step = step_of(0, {within("h", {2, 3}, 1e-7, 1e-6)});
    NamedFinding odd = missing("<b onclick=\"x\">&amp;");
    odd.note = "a note <i> & \x1b[31m";
    add_finding(step, odd);
    Presentation how = presentation();
    how.recipe = "</style><script>alert(1)</script>";
    how.characters = {".", "<", "&", "\""};
    add_drawn(step, "dlogits", 5);
    const Element root = read(html({step}, how));
    CHECK(all(root, "script").empty());
    CHECK(text_of(row_of(root, odd.name)).find("a note <i> & \xef\xbf\xbd[31m") != std::string::npos);
    CHECK(text_of(row_of(root, odd.name)).find("missing") != std::string::npos);
    CHECK(text_of(*all(root, "title").at(0)).find("</style><script>") != std::string::npos);
    CHECK(text_of(row_of(root, "dlogits")).find("'&'") != std::string::npos);
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
    }
    NamedFinding r = exact("dh", {2, 5});
    r.verdict = Verdict::not_given;
    const Element given = read(html({step_of(0, {exact("h", {2, 5}), r})}));
    CHECK(all(given, "tbody", "tensor").size() == 1);
    CHECK(text_of(given).find("Not given: dh") != std::string::npos);
    r.verdict = Verdict::vacuous;
    CHECK(has_class(box_of(read(html({step_of(0, {r})})), "dh"), "off"));
    CHECK(has_class(box_of(read(html({step_of(0, {r})}, presentation(), {Verdict::vacuous})), "dh"), "nothing"));
}

TEST_CASE("HTML: a reference's worse verdict is the row's, and each has its line") {
    ComparedStep step = step_of(0, {within("dh", {2, 3}, 1e-7, 1e-6)});
    add_finding(step, within("dh", {2, 3}, 9e-6, 1e-6), "stepwise", Against::module);
    const Element root = read(html({step}));
    CHECK(all(root, "tbody", "tensor").size() == 1);
    CHECK(text_of(row_of(root, "dh").children.at(0)).find("mismatch") != std::string::npos);
    CHECK(all(table_of(row_of(root, "dh"), "Against LibTorch"), "tr").size() == 3);
}

TEST_CASE("HTML: of several steps the first that is wrong is shown, else the last, and all in a chart") {
    const auto fine = [](std::size_t number) { return step_of(number, {within("h", {2, 5}, 1e-7, 1e-6)}); };
    std::vector<ComparedStep> steps = {fine(0), fine(10), fine(20)};
    CHECK(shown_step(steps, {}) == 2);
    const Element right = read(html(steps));
    CHECK(text_of(right).find("3 steps compared, all agree") != std::string::npos);
    CHECK(text_of(right).find("Step 20, the last, is shown below in full") != std::string::npos);
    CHECK(all(right, "svg", "bars").size() == 1);

    add_drawn(steps[1], "dh", 40);
    add_drawn(steps[1], "dW1", 0.5);
    add_drawn(steps[2], "dh", 50);
    CHECK(shown_step(steps, {}) == 1);
    const Element wrong = read(html(steps));
    CHECK(text_of(wrong).find("2 of them disagree") != std::string::npos);
    CHECK(text_of(wrong).find("The worst is step 20: dh at 50× its limit.") != std::string::npos);
    CHECK(text_of(wrong).find("Step 10, the first that disagrees") != std::string::npos);
    CHECK(text_of(row_of(wrong, "dh")).find("most at step 20") != std::string::npos);
    CHECK(all(row_of(wrong, "dh"), "svg", "bars").size() == 1);

    drop_pictures(steps, {});
    CHECK(steps[1].models[0].values.back().picture != nullptr);
    CHECK(steps[2].models[0].values.back().picture == nullptr);
}

TEST_CASE("HTML: many steps are summed up") {
    std::vector<ComparedStep> steps;
    steps.reserve(731);
    for (std::size_t i = 0; i < 731; ++i) {
        steps.push_back(step_of(i, {within("h", {2, 5}, i == 400 ? 7e-7 : 1e-7, 1e-6)}));
    }
    const std::string page = html(steps);
    const Element root = read(page);
    CHECK(page.size() < 100'000);
    const Element& over = table_of(root, "Of 731 compared steps");
    CHECK(all(over, "tr").size() == 101);
    CHECK(text_of(over).find("400 ") != std::string::npos);
}

TEST_CASE("HTML: a section for each model") {
    ComparedStep step = step_of(0, {within("h", {2, 5}, 1e-7, 1e-6), exact("loss", {})});
    add_finding(step, within("h", {2, 5}, 2e-7, 1e-6), "fused");
    const Element root = read(html({step}));
    CHECK(all(root, "section", "model").size() == 2);
    CHECK(all(root, "tbody", "tensor").size() == 3);
    CHECK(text_of(box_of(root, "fused:h")).find("within") != std::string::npos);
}

TEST_CASE("HTML: only what the filter takes has a row, but the picture has all") {
    const Element root =
        read(html({with_culprit()}, presentation([](const std::string& name) { return name == "dh"; })));
    CHECK(all(root, "tbody", "tensor").size() == 1);
    CHECK(all(root, "a", "box").size() == 1);
    CHECK(all(root, "span", "heir").size() > 3);
}

TEST_CASE("HTML: however many tensors there are, the page stays under 2 MB and keeps what matters") {
    ComparedStep step = with_culprit();
    std::mt19937 noise(5);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same every time
    for (std::size_t i = 0; i < 900; ++i) {
        ValueReport& value = add_drawn(step, "value" + std::to_string(i), 0.5);
        Picture large = *value.picture;
        large.rows = 32;
        large.columns = 50;
        large.shares.resize(1600);
        for (float& share : large.shares) {
            share = static_cast<float>(noise() % 1000) / 1000;
        }
        value.picture = std::make_shared<const Picture>(large);
    }
    const std::string page = html({step});
    CHECK(page.size() < 2'000'000);
    CHECK(page.size() > 1'500'000);
    const Element root = read(page);
    CHECK(all(root, "tbody", "tensor").size() == 908);
    for (const char* name : {"dh", "dhpreact", "dW1", "new_W1"}) {
        CHECK(all(row_of(root, name), "svg", "heat").size() == 1);
    }
    CHECK(page.find("left out to keep this page small") != std::string::npos);
}

TEST_CASE("HTML: the same bytes again") {
    CHECK(html({with_culprit()}) == html({with_culprit()}));
    CHECK(html({with_culprit()}).size() < 60'000);
}
