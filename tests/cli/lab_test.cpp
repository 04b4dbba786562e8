#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/chromium.h"
#include "cli/program.h"

namespace cli_test {
namespace {

// What makes an experiment that trains or measures quick enough to be run time and again.
Arguments quick(const std::string& experiment) {
    static const std::map<std::string, Arguments> kQuick = {
        {"loss", "--seeds 2 --steps 200"},
        {"geometry", "--seeds 2 --students 31 --hidden 9 --trained 20 --steps 300"},
        {"placement", "--seeds 2 --steps 200"},
        {"claims", "--claim inputs,weights --seeds 2 --steps 500"},
        {"undo", "--seeds 2 --steps 200"},
        {"batch", "--seeds 2 --steps 100"},
        {"backward", "--seeds 2 --rows 9,33 --columns 5 --rounds 3"},
    };
    const auto found = kQuick.find(experiment);
    return "lab " + experiment + (found == kQuick.end() ? Arguments() : found->second);
}

// The first word of each line of `byhand lab`.
std::vector<std::string> listed(const Folder& folder) {
    const Outcome outcome = byhand(folder, "lab");
    REQUIRE(outcome.code == 0);
    std::vector<std::string> names;
    for (const std::string& line : lines_of(outcome.out)) {
        CHECK(line.size() < 80);
        CHECK(contains(line, "note"));
        std::istringstream(line) >> names.emplace_back();
    }
    return names;
}

// A PATH on which nothing is to be found.
const Environment kNoPrograms = {{"PATH", "/nowhere"}};

// The experiments that train nothing.
const std::vector<std::string> kQuickest = {"columns", "padding", "invariance", "conventions"};

// Each ends well; those of `twice` say the same twice, as JSON and as text.
void check_documents(const std::vector<std::string>& experiments, const std::vector<std::string>& twice) {
    const Folder folder;
    for (const std::string& name : experiments) {
        CAPTURE(name);
        const Outcome first = byhand(folder, quick(name) + "--json");
        const Json document = json_of(first);
        CHECK(document.at("experiment").get<std::string>() == name);
        CHECK(document.at("agrees").get<bool>());
        CHECK_FALSE(document.at("text").empty());
        CHECK_FALSE(document.at("formulas").empty());
        if (std::ranges::find(twice, name) == twice.end()) {
            continue;
        }
        if (name != "backward") {  // which measures time
            CHECK(byhand(folder, quick(name) + "--json").out == first.out);
        }
        const Outcome text = succeeds(folder, quick(name) + "--no-plot", kNoPrograms);
        CHECK(text.out.starts_with(document.at("title").get<std::string>() + " ("));
        CHECK_FALSE(contains(text.err, "gnuplot"));
    }
    CHECK(folder.files().empty());
}

// Each as a page has its picture in it, no script, and is as wide as the window.
void check_page(const std::vector<std::string>& experiments) {
    const Folder folder;
    std::vector<std::string> pages;
    for (const std::string& name : experiments) {
        CAPTURE(name);
        const std::string page = name + ".html", svg = name + ".svg";
        const Json document = json_of(byhand(folder, quick(name) + Arguments{"--html", page, "--json"}));
        const std::string text = folder.read(page);
        CHECK(text.starts_with("<!DOCTYPE html>\n"));
        CHECK(text.ends_with("</html>\n"));
        CHECK(text.find("<script") == std::string::npos);
        CHECK(text.find("src=") == std::string::npos);
        CHECK(times(text, "<table>") == document.at("tables").size());
        CHECK(times(text, "<svg") == (document.at("plots").empty() ? 0 : 1));
        pages.push_back(page);
    }
    check_fits(folder, pages, {"400", "1000"});
    for (const std::string& page : pages) {
        CHECK_FALSE(dom(folder, page, "1000").empty());
    }
}

}  // namespace

TEST_CASE("the lab lists its experiments, and each has help and a name of its own") {
    const Folder folder;
    const std::vector<std::string> names = listed(folder);
    CHECK(names == std::vector<std::string>{"loss", "invariance", "geometry", "columns", "padding", "placement",
                                            "claims", "undo", "batch", "backward", "conventions"});
    for (const std::string& name : names) {
        const Outcome help = succeeds(folder, {"lab", name, "--help"});
        CHECK(contains(help.out, "--json"));
        CHECK(contains(help.out, "byhand lab " + name));
    }
}

TEST_CASE("every experiment ends well; those that train nothing say the same twice, as JSON and as text") {
    check_documents(listed(Folder()), kQuickest);
}

TEST_CASE("every experiment says the same twice, as JSON and as text", "[long]") {
    check_documents(listed(Folder()), listed(Folder()));
}

TEST_CASE("an experiment as a page: its picture in it, no script, as wide as the window") {
    check_page(kQuickest);
}
TEST_CASE("every experiment as a page: its picture in it, no script, as wide as the window", "[long]") {
    check_page(listed(Folder()));
}

TEST_CASE("without gnuplot the numbers are printed, and a picture that was asked for is refused") {
    const Folder folder;
    const Outcome outcome = succeeds(folder, "lab invariance", kNoPrograms);
    CHECK(contains(outcome.out, "result moves"));
    CHECK(contains(outcome.err, "no plot: gnuplot is not installed"));
    succeeds(folder, "lab invariance --html page.html", kNoPrograms);
    CHECK_FALSE(contains(folder.read("page.html"), "<svg"));
    CHECK(byhand(folder, "lab invariance --svg picture.svg", kNoPrograms).code == 2);
    CHECK(folder.files() == std::vector<std::string>{"page.html"});
}

TEST_CASE("the lab refuses what it can't do") {
    const Folder folder;
    check_refused(folder, {{"lab undo --optimizer adamw", "plain gradient descent"},
                           {"lab colums", "there is no experiment colums; the nearest is columns (byhand lab lists"},
                           {"lab columns --gain 1,x,3", "--gain"},
                           {"lab columns --svg x.svg", "no plot"},
                           {"lab undo --activation relu", "has a relu"},
                           {"lab undo --norm-kind layer", "has a layernorm"},
                           {"lab columns --html no/such/page.html", "no/such/page.html"},
                           {"lab columns --html .", "folder"}});
    CHECK(folder.files().empty());
}

TEST_CASE("the lab leaves out a plot without a point", "[long]") {
    succeeds(Folder(), "lab placement --seeds 1 --steps 3");
}

TEST_CASE("the options that an experiment suggests are accepted") {
    const Folder folder;
    const std::string help = byhand(folder, "lab placement --help").out;
    const Outcome outcome = byhand(folder, "lab placement --batch 1");
    check_refused(outcome, "a batch of 1 row");
    std::size_t flags = 0;
    for (std::size_t at = 0; (at = outcome.err.find("--", at)) != std::string::npos; ++flags) {
        const std::size_t end = outcome.err.find_first_of(" ,\n", at);
        CAPTURE(outcome.err.substr(at, end - at));
        CHECK(help.find(outcome.err.substr(at, end - at) + " ") != std::string::npos);
        at = end;
    }
    CHECK(flags > 0);
}

}  // namespace cli_test
