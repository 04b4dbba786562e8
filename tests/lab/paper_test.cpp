#include "lab/paper/paper.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <stdexcept>

#include "harness/xml.h"
#include "lab/paper/html.h"
#include "lab/paper/json.h"
#include "lab/paper/lines.h"
#include "lab/paper/plot_script.h"
#include "lab/paper/text.h"
#include "lab/read.h"

using namespace byhand::lab;

namespace {

Paper sample() {
    Paper paper{"sample", "note 9", "A <title>", {}, {}, {{"own", 7}}, true};
    paper.blocks.push_back(Text{"One line.\nAnother & more."});
    paper.blocks.push_back(Table{"figures", {"", "x̂"}, {{"γ", fixed(-0.00001, 3)}, {"wide name", fixed(12.5, 1)}}});
    paper.blocks.push_back(Formulas{{"tanh_forward"}});
    paper.plots.push_back(
        {"a \"plot\"", "x", "y", {{"s", {1, 2}, {0.5, -1}, {}, {}, Style::both}}, false, true, false});
    return paper;
}

}  // namespace

TEST_CASE("a paper in a terminal") {
    CHECK(to_text(sample(), lab_test::source_of) ==
          "A <title> (note 9)\n\nOne line.\nAnother & more.\n\nfigures\n                 x̂\n  γ          0.000\n"
          "  wide name   12.5\n\n  h = tanh(x)\n      tanh_forward, src/manual/tanh/formulas.h\n");
}

TEST_CASE("a paper for programs") {
    const byhand::Json json = text::parsed_json(to_json(sample(), lab_test::source_of));
    CHECK(json.at("own").get<int>() == 7);
    CHECK(json.at("agrees").get<bool>());
    CHECK(json.at("tables").at(0).at("rows").at(0).at(1).get<double>() == -0.00001);
    CHECK(json.at("formulas").at(0).at("formula").get<std::string>() == "h = tanh(x)");
    CHECK(json.at("plots").at(0).at("series").at(0).at("y").at(1).get<double>() == -1);
    CHECK(byhand::printed_json(fixed(std::numeric_limits<double>::quiet_NaN(), 2).value, 1) == "\"nan\"");
}

TEST_CASE("a paper as a page: well-formed, without a script, every word escaped") {
    const std::string page = to_html(sample(), lab_test::source_of, "<?xml version=\"1.0\"?>\n<svg><g/></svg>\n");
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("A <title>") == std::string::npos);
    CHECK(page.find("Another &amp; more.") != std::string::npos);
    CHECK(page.find("<?xml") == std::string::npos);
    CHECK(page.find("<svg><g/></svg>") != std::string::npos);
}

TEST_CASE("a formula whose function is not there is a mistake of the program") {
    Paper paper = sample();
    paper.blocks.push_back(Formulas{{"no_such_function"}});
    CHECK_THROWS_AS(to_text(paper, lab_test::source_of), std::logic_error);
}

TEST_CASE("figures in cells") {
    CHECK(percent(0.0734).shown == "7.3 %");
    CHECK(significant(1.25e-7, 2).shown == "1.2e-07");
    CHECK(whole(0).shown == "0");
    CHECK(with_spread({1, 2, 3}, 2).shown == "2.00 ± 1.00");
    CHECK(fixed(-0.5, 0).shown == "0");
}

TEST_CASE("lines are broken between words, a hat takes no column") {
    CHECK(width_of("x̂ = 1") == 5);
    CHECK(wrapped("aa bb cc", 5) == "aa bb\ncc");
    CHECK(wrapped("aa\nbb cc", 80) == "aa\nbb cc");
    CHECK(wrapped("longer than that", 4) == "longer\nthan\nthat");
    CHECK(wrapped("", 4).empty());
}

TEST_CASE("gnuplot is given no number that an axis can't show, and no quote that ends a title") {
    const std::string script = svg_script(sample().plots);
    CHECK(script.find("1 0.5\n2 NaN\n") != std::string::npos);
    CHECK(script.find("set title \"a \\\"plot\\\"\"") != std::string::npos);
}
