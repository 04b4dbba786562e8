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
        {"loss", {"--seeds", "2", "--steps", "200"}},
        {"geometry", {"--seeds", "2", "--students", "31", "--hidden", "9", "--trained", "20", "--steps", "300"}},
        {"placement", {"--seeds", "2", "--steps", "200"}},
        {"claims", {"--claim", "inputs,weights", "--seeds", "2", "--steps", "500"}},
        {"undo", {"--seeds", "2", "--steps", "200"}},
        {"batch", {"--seeds", "2", "--steps", "100"}},
        {"backward", {"--seeds", "2", "--rows", "9,33", "--columns", "5", "--rounds", "3"}},
    };
    const auto found = kQuick.find(experiment);
    return Arguments{"lab", experiment} + (found == kQuick.end() ? Arguments{} : found->second);
}

// The first word of each line of `byhand lab`.
std::vector<std::string> listed(const Folder& folder) {
    const Outcome outcome = byhand(folder, {"lab"});
    REQUIRE(outcome.code == 0);
    std::vector<std::string> names;
    for (const std::string& line : lines_of(outcome.out)) {
        CHECK(line.size() < 80);
        CHECK(line.find("note") != std::string::npos);
        std::istringstream(line) >> names.emplace_back();
    }
    return names;
}

std::size_t times(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) {
        ++found;
    }
    return found;
}

// A PATH on which nothing is to be found.
const Environment kNoPrograms = {{"PATH", "/nowhere"}};

// The experiments that train nothing.
const std::vector<std::string> kQuickest = {"columns", "padding", "invariance", "conventions"};

// Each says the same twice, as JSON and as text.
void check_twice(const std::vector<std::string>& experiments) {
    const Folder folder;
    for (const std::string& name : experiments) {
        CAPTURE(name);
        const Outcome first = byhand(folder, quick(name) + Arguments{"--json"});
        const Json document = json_of(first);
        CHECK(document.at("experiment").get<std::string>() == name);
        CHECK(document.at("agrees").get<bool>());
        CHECK_FALSE(document.at("text").empty());
        CHECK_FALSE(document.at("formulas").empty());
        if (name != "backward") {  // which measures time
            CHECK(byhand(folder, quick(name) + Arguments{"--json"}).out == first.out);
        }
        const Outcome text = byhand(folder, quick(name) + Arguments{"--no-plot"}, kNoPrograms);
        CHECK(text.code == 0);
        CHECK(text.out.starts_with(document.at("title").get<std::string>() + " ("));
        CHECK(text.err.find("gnuplot") == std::string::npos);
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
        const Outcome help = byhand(folder, {"lab", name, "--help"});
        CHECK(help.code == 0);
        CHECK(help.out.find("--json") != std::string::npos);
        CHECK(help.out.find("byhand lab " + name) != std::string::npos);
    }
}

TEST_CASE("every experiment ends well") {
    const Folder folder;
    for (const std::string& name : listed(folder)) {
        CAPTURE(name);
        const Json document = json_of(byhand(folder, quick(name) + Arguments{"--json"}));
        CHECK(document.at("experiment").get<std::string>() == name);
        CHECK(document.at("agrees").get<bool>());
    }
}

TEST_CASE("an experiment says the same twice, as JSON and as text") {
    check_twice(kQuickest);
}
TEST_CASE("every experiment says the same twice, as JSON and as text", "[long]") {
    check_twice(listed(Folder()));
}

TEST_CASE("an experiment as a page: its picture in it, no script, as wide as the window") {
    check_page(kQuickest);
}
TEST_CASE("every experiment as a page: its picture in it, no script, as wide as the window", "[long]") {
    check_page(listed(Folder()));
}

TEST_CASE("without gnuplot the numbers are printed, and a picture that was asked for is refused") {
    const Folder folder;
    const Outcome outcome = byhand(folder, {"lab", "invariance"}, kNoPrograms);
    CHECK(outcome.code == 0);
    CHECK(outcome.out.find("result moves") != std::string::npos);
    CHECK(outcome.err.find("no plot: gnuplot is not installed") != std::string::npos);
    const Outcome page = byhand(folder, {"lab", "invariance", "--html", "page.html"}, kNoPrograms);
    CHECK(page.code == 0);
    CHECK(folder.read("page.html").find("<svg") == std::string::npos);
    CHECK(byhand(folder, {"lab", "invariance", "--svg", "picture.svg"}, kNoPrograms).code == 2);
    CHECK(folder.files() == std::vector<std::string>{"page.html"});
}

TEST_CASE("the lab refuses what it can't do") {
    const Folder folder;
    check_refused(byhand(folder, {"lab", "undo", "--optimizer", "adamw"}), "plain gradient descent");
    check_refused(byhand(folder, {"lab", "colums"}), "columns");
    check_refused(byhand(folder, {"lab", "columns", "--gain", "1,2"}), "--gain");
    check_refused(byhand(folder, {"lab", "columns", "--gain", "1,x,3"}), "--gain");
    check_refused(byhand(folder, {"lab", "columns", "--svg", "x.svg"}), "no plot");
    check_refused(byhand(folder, {"lab", "undo", "--activation", "relu"}), "has a relu");
    check_refused(byhand(folder, {"lab", "undo", "--norm-kind", "layer"}), "has a layernorm");
    check_refused(byhand(folder, {"lab", "columns", "--html", "no/such/page.html"}), "no/such/page.html");
    check_refused(byhand(folder, {"lab", "columns", "--html", "."}), "folder");
    CHECK(folder.files().empty());
}

TEST_CASE("the lab leaves out a plot without a point", "[long]") {
    CHECK(byhand(Folder(), {"lab", "placement", "--seeds", "1", "--steps", "3"}).code == 0);
}

TEST_CASE("a page is written anew over the one before") {
    const Folder folder;
    folder.write("page.html", "before");
    CHECK(byhand(folder, {"lab", "columns", "--html", "page.html"}).code == 0);
    CHECK(folder.read("page.html").starts_with("<!DOCTYPE html>"));
    CHECK(folder.files() == std::vector<std::string>{"page.html"});
}

TEST_CASE("the options that an experiment suggests are accepted") {
    const Folder folder;
    const std::string help = byhand(folder, {"lab", "placement", "--help"}).out;
    const Outcome outcome = byhand(folder, {"lab", "placement", "--batch", "1"});
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
