// A document in each output format.
#include "report/document.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "report/writers.h"

using namespace byhand;

namespace {

Document sample() {
    Document document{.subject = "lab sample", .note = "note 9", .title = "A <title>"};
    document.blocks.emplace_back(Text{"One line.\nAnother & more."});
    document.blocks.emplace_back(
        Table{"figures", {"", "x̂"}, {{"γ", fixed(-0.00001, 3)}, {"wide name", fixed(12.5, 1)}}});
    Formulas formulas{{"tanh_forward"}};
    formulas.formulas.front().formula = "h = tanh(x)";
    formulas.formulas.front().place = "src/manual/tanh/formulas.h";
    document.blocks.emplace_back(formulas);
    document.plots.push_back({"a \"plot\"", "x", "y", {{"s", {1, 2}, {0.5, -1}, {}, {}, Style::both}}, false, true});
    return document;
}

// Of blocks alone.
Document titled(std::vector<Block> blocks) {
    return {.subject = "sample", .title = "A title", .blocks = std::move(blocks)};
}

// A table in a document of this title.
std::string text_of(const Table& table, const Terminal& terminal = {}) {
    return to_text(titled({table}), terminal).substr(std::string("A title\n\n").size());
}

}  // namespace

TEST_CASE("document: as text for a terminal") {
    CHECK(to_text(sample()) ==
          "A <title> (note 9)\n\nOne line.\nAnother & more.\n\nfigures\n                 x̂\n  γ          0.000\n"
          "  wide name   12.5\n\n  h = tanh(x)\n      tanh_forward, src/manual/tanh/formulas.h\n");
}

TEST_CASE("document: columns are aligned as specified, the first to the left") {
    const Table table{"", {"a", {"words", "words", Align::left}, "n"}, {{"x", "long words", "7"}, {"y", "few", "12"}}};
    CHECK(text_of(table) == "  a  words        n\n  x  long words   7\n  y  few         12\n");
}

TEST_CASE("document: long texts are under their row") {
    const Table table{
        "", {"a", {"source", "source", Align::below}, "n"}, {{"x", "a long source", "7"}, {"y", "", "12"}}};
    CHECK(text_of(table) == "  a   n\n  x   7\n      a long source\n  y  12\n");
}

namespace {

// A word with a combining mark, a column that leaves first and one that leaves after it, and words that can be broken.
Table wide_table() {
    return {"t",
            {"name",
             {"shape", "shape", Align::left, 2},
             {"ULP", "ulp", Align::right, 1},
             {"verdict", "verdict", Align::left},
             {"words", "", Align::left}},
            {{"x̂ of C", "(5, 7)", whole(123456789), {"mismatch", "mismatch", Mark::bad}, "some words that are long"}}};
}

std::size_t widest(const std::string& text) {
    std::size_t width = 0;
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1) {
        width = std::max(width, width_of(text.substr(begin, text.find('\n', begin) - begin)));
    }
    return width;
}

}  // namespace

TEST_CASE("document: a table too wide for the terminal leaves columns out in their order, and says which") {
    CHECK(text_of(wide_table(), {.width = 120}) ==
          "t\n  name    shape         ULP  verdict   words\n"
          "  x̂ of C  (5, 7)  123456789  mismatch  some words that are long\n");
    CHECK(text_of(wide_table(), {.width = 62}) ==
          "t\n  name    shape   verdict   words\n  x̂ of C  (5, 7)  mismatch  some words that are long\n"
          "\nnot shown at 62 columns: ULP; --format csv has all\n");
    CHECK(text_of(wide_table(), {.width = 48}) ==
          "t\n  name    verdict   words\n  x̂ of C  mismatch  some words that are long\n"
          "\nnot shown at 48 columns: ULP, shape; --format\ncsv has all\n");
    // Columns that may not leave stay; the last is broken into lines.
    const std::string narrow = text_of(wide_table(), {.width = 40});
    CHECK(
        narrow.starts_with("t\n  name    verdict   words\n  x̂ of C  mismatch  some words that are\n"
                           "                    long\n\nnot shown"));
    CHECK(widest(narrow) < 40);
}

TEST_CASE("document: tables with the same columns leave the same ones out") {
    Document document = titled({wide_table(), wide_table()});
    std::get<Table>(document.blocks[1]).rows[0][4] = {"few"};
    CHECK(to_text(document, {.width = 62}) ==
          "A title\n\nt\n  name    shape   verdict   words\n  x̂ of C  (5, 7)  mismatch  some words that are long\n\n"
          "t\n  name    shape   verdict   words\n  x̂ of C  (5, 7)  mismatch  few\n"
          "\nnot shown at 62 columns: ULP; --format csv has all\n");
}

TEST_CASE("document: every width that has room for a table is kept to") {
    for (std::size_t width = 41; width < 130; ++width) {
        CAPTURE(width);
        CHECK(widest(text_of(wide_table(), {.width = width})) < width);
    }
    CHECK(text_of(wide_table(), {.width = 63}).find("not shown") != std::string::npos);
    CHECK(text_of(wide_table(), {.width = 0}).find("  x̂ of C  mismatch  some words that are\n") != std::string::npos);
}

TEST_CASE("document: words under a row, a title and a paragraph are broken at the terminal's width") {
    Document document =
        titled({Text{"one two three four five six"},
                Table{"", {"a", {"source", "source", Align::below}}, {{"x", "a long source\nof two lines, or more"}}}});
    document.title = "A title that is rather long";
    CHECK(to_text(document, {.width = 24}) ==
          "A title that is rather\nlong\n\none two three four five\nsix\n\n"
          "  a\n  x\n      a long source\n      of two lines, or\n      more\n");
}

TEST_CASE("document: a page shows the conclusion under its heading, text where it is") {
    const Document document = titled({Text{"first"}, as_conclusion("it holds"), Text{"last"}});
    CHECK(to_text(document) == "A title\n\nfirst\n\nit holds\n\nlast\n");
    CHECK(to_html(document).find("<h1>A title</h1>\n<p>it holds</p>\n</header>\n<main>\n<p>first</p>\n<p>last</p>\n") !=
          std::string::npos);
}

TEST_CASE("document: colours on a terminal that wants them, and nowhere else") {
    const Table table = {"t", {"a", {"v", "v", Align::left}}, {{"x", {"bad", "bad", Mark::bad}}, {"y", "none"}}};
    Document document = titled({table, Text{": 1 of 2", "they disagree", Mark::bad}});
    document.agrees = false;
    CHECK(to_text(document, {.colour = true}) ==
          "A title\n\n\x1b[1mt\x1b[0m\n  a  v\n  x  \x1b[1;31mbad\x1b[0m\n  y  none\n\n"
          "\x1b[1;31mthey disagree\x1b[0m: 1 of 2\n");
    CHECK(to_text(document).find('\x1b') == std::string::npos);
    CHECK(to_text(document).ends_with("\n\nthey disagree: 1 of 2\n"));
    const std::string page = to_html(document);
    CHECK(page.find("<td class=\"left\"><span class=\"mark off\"><b aria-hidden=\"true\">!</b> bad</span></td>") !=
          std::string::npos);
    CHECK(page.find("<p><span class=\"mark off\"><b aria-hidden=\"true\">!</b> they disagree</span>: 1 of 2</p>") !=
          std::string::npos);
    CHECK(page.find("<header class=\"disagree\">") != std::string::npos);
}

TEST_CASE("document: on a narrow screen a page leaves out the columns that text may drop, and names them") {
    Document document = titled({wide_table()});
    const std::string page = to_html(document);
    CHECK(page.find("<th scope=\"col\" class=\"wide drop1\">ULP</th>") != std::string::npos);
    CHECK(page.find("<p class=\"narrow\">Not shown on a narrow screen: ") != std::string::npos);
    document.blocks = {Table{"", {"a", "b"}, {{"x", "y"}}}};
    CHECK(to_html(document).find("class=\"narrow\"") == std::string::npos);
}

TEST_CASE("document: code below a paragraph keeps its lines, however long") {
    const std::string code = "  const float x[1][3] = {{1, 2, 3}};  // x < 4\n  const float y = 1;";
    const Document document = titled({Text{"words that wrap", "", Mark::none, code}});
    CHECK(to_text(document, {.width = 24}) == "A title\n\nwords that wrap\n" + code + "\n");
    CHECK(to_html(document).find("<pre>  const float x[1][3] = {{1, 2, 3}};  // x &lt; 4&#10;") != std::string::npos);
}

TEST_CASE("document: a page has every cell, title, lead and key escaped") {
    Document document =
        titled({Text{"words", "<2>", Mark::good},
                Table{"<3>", {"<4>", {"b", "b", Align::below}}, {{"<5>", {"<6>\x1b", {}, Mark::open}}}}});
    document.subject = "s<1>";
    const std::string page = to_html(document);
    for (const char digit : {'1', '2', '3', '4', '5', '6'}) {
        CHECK(page.find(std::string("<") + digit) == std::string::npos);
        CHECK(page.find(std::string("&lt;") + digit + "&gt;") != std::string::npos);
    }
    CHECK(page.find('\x1b') == std::string::npos);
}

TEST_CASE("document: what is wrong stands first where a table says so, but not for programs") {
    Table table = {"",
                   {"a"},
                   {{{"open", "open", Mark::open}},
                    {{"good", "good", Mark::good}},
                    {{"bad", "bad", Mark::bad}},
                    {"none"},
                    {{"worse", "worse", Mark::bad}}}};
    CHECK(text_of(table) == "  a\n  open\n  good\n  bad\n  none\n  worse\n");
    table.worst_first = true;
    CHECK(text_of(table) == "  a\n  bad\n  worse\n  good\n  none\n  open\n");
    const Document document = titled({table});
    CHECK(to_csv(document) == "a\r\nopen\r\ngood\r\nbad\r\nnone\r\nworse\r\n");
    CHECK(json_of_rows(table).at(0).at("a").get<std::string>() == "open");
    const std::string page = to_html(document);
    CHECK(page.find("worse</span>") < page.find("good</span>"));
}

TEST_CASE("document: columns without a key are for people, and a key with a dot is a member of an object") {
    const Table table = {"",
                         {"name",
                          {"for people", "", Align::left},
                          {"", "shape", Align::hidden},
                          {"", "worst.index", Align::hidden},
                          {"", "worst.a", Align::hidden}},
                         {{"x", "words", {"", {2, 3}}, {"", Json::array({1, 0})}, {"", 3.0}},
                          {"y\x1b[2J", "words", {"", Json::array()}, {"", Json()}, {"", Json()}}}};
    CHECK(json_of_rows(table) ==
          Json::array(
              {{{"name", "x"}, {"shape", Json::array({2, 3})}, {"worst", {{"index", Json::array({1, 0})}, {"a", 3.0}}}},
               {{"name", "y\x1b[2J"}, {"shape", Json::array()}, {"worst", nullptr}}}));
    const Document document = titled({Table{"", {"", {"", ""}}, {{"of people", "only"}}}, table});
    CHECK(to_csv(document) == "name,shape,worst_index,worst_a\r\nx,2 3,1 0,3\r\ny\\x1b[2J,,,\r\n");
}

TEST_CASE("document: a table without titles has no heading, and one of hidden columns is not shown at all") {
    const Document document = titled({Table{"", {"", {"", "", Align::left}}, {{"reads", "a, b"}, {"values", "1\n2"}}},
                                      Table{"unseen", {{"a", "a", Align::hidden}}, {{"x"}}}});
    CHECK(to_text(document) == "A title\n\n  reads   a, b\n  values  1\n          2\n");
    const std::string page = to_html(document);
    CHECK(page.find("<thead") == std::string::npos);
    CHECK(page.find("unseen") == std::string::npos);
    CHECK(to_csv(document) == "a\r\nx\r\n");
}

TEST_CASE("document: a hidden column is for programs only") {
    const Document document = titled({Table{"", {"a", {"b", "b", Align::hidden}, "c"}, {{"x", "unseen", "7"}}}});
    CHECK(to_text(document) == "A title\n\n  a  c\n  x  7\n");
    CHECK(to_html(document).find("unseen") == std::string::npos);
    CHECK(to_csv(document) == "a,b,c\r\nx,unseen,7\r\n");
}

TEST_CASE("document: as a page, well-formed, without a script, every word escaped") {
    Document document = sample();
    document.blocks.emplace_back(Figure{"", "<?xml version=\"1.0\"?>\n<svg><g/></svg>\n"});
    const std::string page = to_html(document);
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("A <title>") == std::string::npos);
    CHECK(page.find("Another &amp; more.") != std::string::npos);
    CHECK(page.find("<?xml") == std::string::npos);
    CHECK(page.find("<svg><g/></svg>") != std::string::npos);
    CHECK(page.find("byhand lab sample: note 9") != std::string::npos);
    CHECK(page.find(".scroll table {") != std::string::npos);  // the style sheet
}

TEST_CASE("document: details of a page open by their line; text has only the line, no figure, and no empty paragraph") {
    const Document document =
        titled({Text{""}, Details{"more", {Text{"of [a](#b)"}}, "id"}, Figure{"caption", "<svg/>"}});
    CHECK(to_html(document).find(
              "<details><summary><span>more</span></summary>\n<div class=\"opened\" id=\"id\">\n<p>of "
              "<a href=\"#b\">a</a></p>\n</div></details>\n<figure>\n<figcaption>caption") != std::string::npos);
    CHECK(to_text(document) == "A title\n\nmore\n");
    for (const std::string words : {"[a] (#b)", "[a](b)", "[a](#b", "[a b](#c)", "[]", "[", "a](#b)", "[a](#)"}) {
        CHECK(in_html(words) == words);
    }
}

TEST_CASE("document: as CSV, the first table with keys and all digits") {
    CHECK(to_csv(titled({Text{"words"}})).empty());
    const Document document = titled(
        {Text{"words"},
         Table{"",
               {"Name", "largest difference", {"share", "used"}},
               {{"a \"b\", c", significant(0.1, 1), percent(1.0 / 3)}, {"d", significant(-INFINITY, 1), none()}}},
         Table{"", {"another"}, {{"1"}}}});
    CHECK(to_csv(document) ==
          "name,largest_difference,used\r\n\"a \"\"b\"\", c\",0.1,0.3333333333333333\r\nd,-inf,\r\n");
}

TEST_CASE("document: numbers in cells") {
    CHECK(percent(0.0734).shown == "7.3 %");
    CHECK(significant(1.25e-7, 2).shown == "1.2e-07");
    CHECK(whole(0).shown == "0");
    CHECK(fixed(-0.5, 0).shown == "0");
    CHECK(scientific(0.0012, 1).shown == "1.2e-03");
    CHECK(scientific(std::nullopt, 1).shown == "–");
    CHECK(scientific(std::nullopt, 1).value.is_null());
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
    CHECK(wrapped("a\n  bb cc dd\ne", 7) == "a\n  bb cc\n  dd\ne");
    CHECK(wrapped("a\n\n  b", 7) == "a\n\n  b");
}

TEST_CASE("document: the gnuplot script has no numbers that an axis can't show, and no quotes that end a title") {
    const std::string script = svg_script(sample().plots);
    CHECK(script.find("1 0.5\n2 NaN\n") != std::string::npos);
    CHECK(script.find("set title \"a \\\"plot\\\"\"") != std::string::npos);
}

TEST_CASE("document: the rows of a table as objects by the columns' keys") {
    const Cell spread("2.5 ± 0.5", {{"mean", 2.5}, {"deviation", 0.5}});
    const Table table{
        "",
        {{"n", "rows"}, {"norm", "norms.chain"}, {"other", "norms.line"}, {"loss", "loss"}, {"words", ""}},
        {{whole(2), fixed(0.25, 1), "–", spread, "few"},
         {whole(9), significant(-INFINITY, 2), fixed(NAN, 1), spread, "more"}}};
    const Json loss_value = {{"mean", 2.5}, {"deviation", 0.5}};
    CHECK(json_of_rows(table) ==
          Json::array({{{"rows", 2}, {"norms", {{"chain", 0.25}, {"line", "–"}}}, {"loss", loss_value}},
                       {{"rows", 9}, {"norms", {{"chain", "-inf"}, {"line", "nan"}}}, {"loss", loss_value}}}));
}

TEST_CASE("SARIF: a result for each failure, at its place or at the suite's file") {
    using report::Outcome;
    const report::Suite suite{
        "a b",
        "byhand.trace",
        {{"a", "my dump.npz"}},
        {{"trace", "h", Outcome::failed, "mismatch", "mismatch: culprit", "error: 0.5\n", "net é.py:41"},
         {"trace", "y", Outcome::failed, "shape", "shape", "", ""},
         {"trace", "z", Outcome::passed, "exact", "exact", "", "net.py:7"}}};
    const std::string text = report::sarif({suite});
    for (const char* part : {"\"version\": \"2.1.0\"", "\"ruleId\": \"mismatch\"", "\"uri\": \"net%20%C3%A9.py\"",
                             "\"startLine\": 41", "\"uri\": \"my%20dump.npz\"", "\"startLine\": 1",
                             "byhand.trace/trace/h", "h: mismatch: culprit\\nerror: 0.5\\n"}) {
        CAPTURE(part, text);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(text.find("net.py") == std::string::npos);
    CHECK(report::sarif({}).find("\"results\": []") != std::string::npos);
}
