#include "documents/page.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "checks/faults/mistakes.h"
#include "documents/compare.h"

using namespace byhand;
using namespace byhand::test;

TEST_CASE("HTML: the verdict on top, a row for each tensor, nothing from elsewhere") {
    const std::vector<ComparedStep> steps = {with_culprit()};
    const std::string page = html(steps, presentation(), {}, {"next: byhand compare --plant <this>"});
    CHECK(page == html(steps, presentation(), {}, {"next: byhand compare --plant <this>"}));
    CHECK(page.size() < 60'000);
    const Element root = read(page);
    CHECK(text_of(*all(root, "h1").at(0)).find("They disagree") != std::string::npos);
    CHECK(text_of(*all(root, "header").at(0)).find("first is dh") != std::string::npos);
    std::string names;
    for (const Element* body : all(root, "tbody", "opens")) {
        names += body->children.at(0).children.at(0).text + " ";
    }
    CHECK(names == "dh dhpreact dW1 new_W1 h dlogits C W1 ");
    CHECK(text_of(*all(root, "tbody", "group").at(0)).find("Disagreeing") != std::string::npos);
    CHECK(all(root, "details").size() == 8);
    for (const Element* details : all(root, "details")) {
        CHECK(details->attributes.contains("open") ==
              (all(*details, "div", "opened").at(0)->attributes.at("id") == "dh"));
    }
    for (const char* const name : {"script", "link", "img"}) {
        CHECK(all(root, name).empty());
    }
    for (const char* const from_elsewhere : {"url(", "@import"}) {
        CHECK(page.find(from_elsewhere) == std::string::npos);
    }
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

TEST_CASE("HTML: a newcomer reads the verdict in a sentence, the culprit, what to do next, then tables") {
    const std::string text = text_of(read(html({with_culprit()}, presentation(), {}, {"next: do this"})));
    std::size_t at = 0;
    for (const char* const part : {"They disagree", "One step is wrong, that of dh; 3 other tensors inherit its error.",
                                   "they disagree", "first divergence and culprit", "next: do this", "Verdicts",
                                   "Its step is wrong on inputs that are right", "Tensor by tensor"}) {
        CAPTURE(part);
        at = text.find(part, at);
        REQUIRE(at != std::string::npos);
    }
    NamedFinding zero = exact("h", {2, 5}), off = within("h", {2, 5}, 1e-5, 1e-6);
    zero.verdict = Verdict::vacuous;
    const auto says = [](const ComparedStep& step, const std::string& words, const std::set<Verdict>& allowed = {}) {
        const std::string header = text_of(*all(read(html({step}, presentation(), allowed)), "header").at(0));
        return header.find(words) != std::string::npos;
    };
    CHECK(
        says(step_of(0, {exact("C", {4, 2})}), "Nothing is wrong: rounding explains every difference between the 1 "));
    CHECK(says(with_isolated(step_of(0, {off}), {}), "One tensor is wrong, first h, but no step that leads there is"));
    CHECK(says(step_of(0, {zero}),
               "some tensors show nothing: they are all zero, all equal or out of range. That is no"));
    CHECK(says(step_of(0, {zero}), "That is accepted here", {Verdict::vacuous}));
}

TEST_CASE("HTML: the page has what makes it again, and a planted mistake") {
    Presentation how = presentation();
    how.command = "byhand compare --plant sign-dbnvar <x>";
    how.recipe = "notes";
    how.seed = 4711;
    how.rows = 1234;
    how.torch_version = "9.8.7";
    const std::string page = text_of(read(html({with_culprit()}, how)));
    for (const char* part : {"byhand compare --plant sign-dbnvar <x>", "notes", "4711", "1234 rows", "9.8.7"}) {
        CAPTURE(part);
        CHECK(page.find(part) != std::string::npos);
    }
    const auto header = [&] { return text_of(*all(read(html({with_culprit()}, how)), "header").at(0)); };
    CHECK(header().find("planted") == std::string::npos);
    how.planted = find_mistake("sign-dbnvar");
    CHECK(header().find("A mistake was planted") < header().find("they disagree"));
    CHECK(header().find(find_mistake("sign-dbnvar")->what) != std::string::npos);
}

TEST_CASE("HTML: the marks add up to the number of tensors") {
    ComparedStep step = with_culprit();
    add_finding(step, within("h", {2, 3}, 1e-7, 1e-6), "stepwise", Against::module);
    NamedFinding not_given = exact("embcat", {2, 5});
    not_given.verdict = Verdict::not_given;
    add_finding(step, not_given);
    const Element root = read(html({step}));
    std::size_t sum = 0;
    for (const Element* row : all(*all(table_of(root, "Verdicts"), "tbody").at(0), "tr")) {
        const std::string text = text_of(*row);
        sum +=
            text.find("not-given") != std::string::npos ? 0 : std::stoul(text.substr(text.find_first_of("123456789")));
    }
    CHECK(sum == 8);
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
    CHECK(all(root, "h2").size() == 2);
    CHECK(all(root, "tbody", "opens").size() == 3);
    CHECK(text_of(box_of(root, "fused:h")).find("within") != std::string::npos);
}

TEST_CASE("HTML: only what the filter takes has a row, but the picture has all") {
    const Element root =
        read(html({with_culprit()}, presentation([](const std::string& name) { return name == "dh"; })));
    CHECK(all(root, "tbody", "opens").size() == 1);
    CHECK(all(root, "a", "box").size() == 1);
    CHECK(all(root, "g", "heir").size() > 2);
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
    CHECK(all(root, "tbody", "opens").size() == 908);
    for (const char* name : {"dh", "dhpreact", "dW1", "new_W1"}) {
        CHECK(all(row_of(root, name), "svg", "heat").size() == 1);
    }
    CHECK(page.find("left out to keep this page small") != std::string::npos);
}
