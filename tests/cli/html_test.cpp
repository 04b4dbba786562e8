#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>
#include <vector>

#include "cli/chromium.h"
#include "cli/program.h"

namespace cli_test {
namespace {

// To a file, of a mistake.
void page(const Folder& folder, const Arguments& more = {}) {
    const Arguments command = "compare --format html --output page.html --plant dvar-path-forgotten";
    const Outcome outcome = byhand(folder, command + more);
    INFO(outcome.err);
    REQUIRE(outcome.code == 1);
    CHECK(outcome.out.empty());
}

// How many names the same comparison has.
std::size_t names_in(const Folder& folder) {
    const Json report = json_of(byhand(folder, "compare --format json"));
    std::set<std::string> names;
    for (const Json& tensor : report["steps"].back()["tensors"]) {
        names.insert(tensor["name"].get<std::string>());
    }
    return names.size();
}

}  // namespace

TEST_CASE(
    "compare as HTML: Chromium shows it without a complaint, never wider than its window, and a link opens its row") {
    need_torch();
    const Folder folder;
    page(folder);
    CHECK(contains(folder.read("page.html"), "<code>byhand compare --plant dvar-path-forgotten</code>"));
    for (const char* width : {"400", "1400"}) {
        const std::string closed = dom(folder, "page.html", width);
        CHECK(times(closed, "<tbody class=\"opens\">") == names_in(folder));
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
    page(folder, "--steps 3");
    check_fits(folder, {"page.html", "page.html#dbndiff", "page.html#dW1"}, {"400", "800", "1000", "1400"});
}

}  // namespace cli_test
