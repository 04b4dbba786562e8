// A document in each output format.
#include "report/document.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <string>

#include "base/json.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/lines.h"
#include "report/plot_script.h"
#include "report/text.h"

using namespace byhand;

namespace {

Document sample() {
    Document document{"lab sample", "note 9", "A <title>", {}, {}, Json::object(), true};
    document.blocks.emplace_back(Text{"One line.\nAnother & more."});
    document.blocks.emplace_back(
        Table{"figures", {"", "x̂"}, {{"γ", fixed(-0.00001, 3)}, {"wide name", fixed(12.5, 1)}}});
    Formulas formulas{{"tanh_forward"}};
    formulas.formulas.front().formula = "h = tanh(x)";
    formulas.formulas.front().place = "src/manual/tanh/formulas.h";
    document.blocks.emplace_back(formulas);
    document.plots.push_back(
        {"a \"plot\"", "x", "y", {{"s", {1, 2}, {0.5, -1}, {}, {}, Style::both}}, false, true, false});
    return document;
}

}  // namespace

TEST_CASE("document: as text for a terminal") {
    CHECK(to_text(sample()) ==
          "A <title> (note 9)\n\nOne line.\nAnother & more.\n\nfigures\n                 x̂\n  γ          0.000\n"
          "  wide name   12.5\n\n  h = tanh(x)\n      tanh_forward, src/manual/tanh/formulas.h\n");
}

TEST_CASE("document: columns are aligned as specified, the first to the left") {
    const Table table{"", {"a", {"words", "words", Align::left}, "n"}, {{"x", "long words", "7"}, {"y", "few", "12"}}};
    CHECK(to_text(table) == "  a  words        n\n  x  long words   7\n  y  few         12\n");
}

TEST_CASE("document: long texts are under their row") {
    const Table table{
        "", {"a", {"source", "source", Align::below}, "n"}, {{"x", "a long source", "7"}, {"y", "", "12"}}};
    CHECK(to_text(table) == "  a   n\n  x   7\n      a long source\n  y  12\n");
}

TEST_CASE("document: a hidden column is for programs only") {
    Document document{"sample", "", "A title", {}, {}, Json::object(), true};
    document.blocks.emplace_back(Table{"", {"a", {"b", "b", Align::hidden}, "c"}, {{"x", "unseen", "7"}}});
    CHECK(to_text(document) == "A title\n\n  a  c\n  x  7\n");
    CHECK(to_html(document).find("unseen") == std::string::npos);
    CHECK(to_csv(document) == "a,b,c\r\nx,unseen,7\r\n");
}

TEST_CASE("document: as a page, well-formed, without a script, every word escaped") {
    const std::string page = to_html(sample(), "<?xml version=\"1.0\"?>\n<svg><g/></svg>\n");
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("A <title>") == std::string::npos);
    CHECK(page.find("Another &amp; more.") != std::string::npos);
    CHECK(page.find("<?xml") == std::string::npos);
    CHECK(page.find("<svg><g/></svg>") != std::string::npos);
    CHECK(page.find("byhand lab sample: note 9") != std::string::npos);
    CHECK(page.find(".document table {") != std::string::npos);  // the style sheet
}

TEST_CASE("document: as CSV, the first table with keys and all digits") {
    Document document{"sample", "", "A title", {}, {}, Json::object(), true};
    CHECK(to_csv(document).empty());
    document.blocks.emplace_back(Text{"words"});
    document.blocks.emplace_back(Table{"",
                                       {"Name", "largest difference", {"share", "used"}},
                                       {{"a \"b\", c", significant(0.1, 1), percent(1.0 / 3)}}});
    document.blocks.emplace_back(Table{"", {"another"}, {{"1"}}});
    CHECK(to_csv(document) == "name,largest_difference,used\r\n\"a \"\"b\"\", c\",0.1,0.3333333333333333\r\n");
}

TEST_CASE("document: numbers in cells") {
    CHECK(percent(0.0734).shown == "7.3 %");
    CHECK(significant(1.25e-7, 2).shown == "1.2e-07");
    CHECK(whole(0).shown == "0");
    CHECK(fixed(-0.5, 0).shown == "0");
    for (const double nan : {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::quiet_NaN()}) {
        CHECK(fixed(nan, 2).shown == "nan");
        CHECK(significant(nan, 2).shown == "nan");
        CHECK(percent(nan).shown == "nan %");
    }
    CHECK(printed_json(fixed(std::numeric_limits<double>::quiet_NaN(), 2).value, 1) == "\"nan\"");
}

TEST_CASE("document: lines are wrapped between words, and a combining mark has no width") {
    CHECK(width_of("x̂ = 1") == 5);
    CHECK(wrapped("aa bb cc", 5) == "aa bb\ncc");
    CHECK(wrapped("aa\nbb cc", 80) == "aa\nbb cc");
    CHECK(wrapped("longer than that", 4) == "longer\nthan\nthat");
    CHECK(wrapped("", 4).empty());
}

TEST_CASE("document: the gnuplot script has no numbers that an axis can't show, and no quotes that end a title") {
    const std::string script = svg_script(sample().plots);
    CHECK(script.find("1 0.5\n2 NaN\n") != std::string::npos);
    CHECK(script.find("set title \"a \\\"plot\\\"\"") != std::string::npos);
}
