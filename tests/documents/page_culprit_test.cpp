#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>
#include <vector>

#include "checks/faults/mistakes.h"
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
