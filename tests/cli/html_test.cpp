#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/chromium.h"
#include "cli/program.h"

namespace cli_test {
namespace {

constexpr std::size_t kLargest = 2'000'000;

// To a file; returns the page.
std::string page(const Folder& folder, int code, const Arguments& more) {
    const Outcome outcome = byhand(folder, "compare --format html --output page.html" + more);
    INFO(outcome.err);
    REQUIRE(outcome.code == code);
    CHECK(outcome.out.empty());
    return folder.read("page.html");
}

// How many names of one model's section the same comparison has.
std::size_t names_in(const Folder& folder, const Arguments& more) {
    const Outcome outcome = byhand(folder, "compare --format json" + more);
    const Json report = parsed_json(outcome.out);
    std::set<std::string> names;
    for (const Json& tensor : report["steps"].back()["tensors"]) {
        names.insert(tensor["model"].get<std::string>() + "/" + tensor["name"].get<std::string>());
    }
    return names.size();
}

}  // namespace

TEST_CASE("compare as HTML: one page of less than 2 MB, with the culprit, its heirs and a row for each tensor") {
    need_torch();
    const Folder folder;
    const std::string text = page(folder, 1, "--plant dvar-path-forgotten");
    CHECK(text.size() < kLargest);
    CHECK(times(text, "<tbody class=\"opens\">") == names_in(folder, {}));
    CHECK(contains(text, "<a class=\"box culprit\" href=\"#dbndiff\">"));
    CHECK(times(text, "class=\"box heir\"") == 7);
    CHECK(contains(text, "<code>byhand compare --plant dvar-path-forgotten</code>"));
    CHECK_FALSE(contains(text, "--verbose"));
    CHECK(folder.files() == std::vector<std::string>{"page.html"});
    const std::string deep = page(folder, 0, "--recipe makemore-deep --model stepwise,collapsed,fused");
    CHECK(deep.size() < kLargest);
    CHECK(times(deep, "<h2>") == 3);
}

TEST_CASE(
    "compare as HTML: Chromium shows it without a complaint, never wider than its window, and a link opens its row") {
    need_torch();
    const Folder folder;
    page(folder, 1, "--plant dvar-path-forgotten");
    for (const char* width : {"400", "1400"}) {
        const std::string closed = dom(folder, "page.html", width);
        CHECK(times(closed, "<tbody class=\"opens\">") == names_in(folder, {}));
        REQUIRE(times(closed, "<details open") == 1);  // the culprit's
        const std::string culprit = closed.substr(closed.find("<details open"));
        CHECK(culprit.find("The 10 worst elements of dbndiff") < culprit.find("</details>"));
        const std::string opened = dom(folder, "page.html#dW1", width);
        REQUIRE(times(opened, "<details open") == 2);
        const std::string rest = opened.substr(opened.rfind("<details open"));
        CHECK(rest.find("id=\"dW1\"") < rest.find("</details>"));
        CHECK(rest.find("The 10 worst elements of dW1") < rest.find("</details>"));
        const std::string file = std::string("page") + width + ".png";
        CHECK(chromium(folder, "page.html", {std::string("--window-size=") + width + ",2000", "--screenshot=" + file})
                  .code == 0);
        CHECK(folder.read(file).size() > 50'000);
    }
    page(folder, 1, "--plant dvar-path-forgotten --steps 3");
    check_fits(folder, {"page.html", "page.html#dbndiff", "page.html#dW1"}, {"400", "800", "1000", "1400"});
}

}  // namespace cli_test
