#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "base/text.h"
#include "checks/documents.h"
#include "checks/tests/external_file.h"
#include "harness/csv.h"
#include "harness/junit.h"
#include "harness/results.h"
#include "report/writers.h"

using namespace byhand;
using namespace byhand::test;
using text::contains;
using text::lines_of;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// One of every verdict, the last one first.
Diff all_verdicts() {
    File a, b;
    a.add<float>("manual/h", {2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    b.add<float>("manual/h", {2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    a.add<float>("dC", {4, 2}, {0, 0, 0, 0, 0, 0.1F, 3, 0});
    b.add<float>("dC", {4, 2}, {0, 0, 0, 0, 0, 0.1F, 3.25F, 0});
    a.add<double>("torch/dW1", {6, 5}, std::vector<double>(30, -7));
    std::vector<double> other(30, -7);
    other[29] = 0.1;
    b.add<double>("torch/dW1", {6, 5}, other);
    a.add<double>("loss", {}, {kNan});
    b.add<double>("loss", {}, {0.5});
    a.add<float>("W2", {5, 4}, std::vector<float>(20, 1)).add<float>("mine", {3}, {1, 2, 3});
    b.add<float>("W2", {4, 5}, std::vector<float>(20, 1)).add<std::int64_t>("theirs", {2}, {1, 2});
    return diff("one.st", a.sources(), "more/two.st", b.sources(), {.limit = {.absolute = 0.25}});
}

Presentation without_words(Filter shows = everything) {
    Presentation how = presentation(std::move(shows));
    how.characters.clear();
    return how;
}

std::string diff_table(const Diff& diff, const Presentation& how) {
    return to_text(diff_document(diff, how), {.width = 100});
}

Json diff_json(const Diff& diff, const Presentation& how) {
    return diff_document(diff, how).data;
}

std::string diff_csv(const Diff& diff, const Presentation& how) {
    return to_csv(diff_document(diff, how));
}

std::string diff_junit(const Diff& diff, const Presentation& how) {
    return report::junit(diff_document(diff, how).suites);
}

// The table's lines under its heading, up to an empty one.
std::vector<std::string> rows_of_table(const Diff& diff, const Presentation& how) {
    const std::vector<std::string> lines = lines_of(diff_table(diff, how));
    const auto heading =
        std::ranges::find_if(lines, [](const std::string& line) { return line.starts_with("  name"); });
    REQUIRE(heading != lines.end());
    return {heading + 1, std::find(heading, lines.end(), "")};
}

DiffedTensor named(const std::string& name) {
    DiffedTensor tensor;
    tensor.name = name;
    return tensor;
}

}  // namespace

TEST_CASE("diff's table: what differs first, its worst element in words under it, and the conclusion") {
    const std::string text = diff_table(all_verdicts(), presentation());
    CHECK(text ==
          "A: one.st, B: more/two.st, limit: 0.25\n"
          "\n"
          "they disagree: 5 of 7 tensors; only in A: 1; only in B: 1; furthest apart: torch/dW1, by 7.1e+00\n"
          "\n"
          "first divergence: torch/dW1: [5, 4] -7 | 0.1\n"
          "\n"
          "perhaps the same: tensors of other names, or with their axes exchanged\n"
          "W2 in A, W2 transposed in B, apart by 0.0e+00\n"
          "Add --rename with a file of lines 'NAME_IN_A NAME_IN_B', or --transpose 'NAME_IN_A'.\n"
          "\n"
          "  name       shape   type   differ      ULP  of rounding  verdict     worst element: A | B\n"
          "  torch/dW1  (6, 5)  F64   7.1e+00  9.2e+18      5e+17 %  mismatch    [5, 4] -7 | 0.1\n"
          "      torch/dW1 from position 3, dimension 1 to unit 4\n"
          "  loss       ()      F64         –        –            –  non-finite  nan | 0.5\n"
          "  W2         (5, 4)  F32         –        –            –  shape       (5, 4) in A, (4, 5) in B\n"
          "  mine       (3)     F32         –        –            –  missing     only in A\n"
          "  theirs     (2)     I64         –        –            –  missing     only in B\n"
          "  manual/h   (2, 5)  F32   0.0e+00        0        0.0 %  exact\n"
          "  dC         (4, 2)  F32   2.5e-01  1048576      4e+08 %  within      [3, 0] 3 | 3.25\n"
          "\n"
          "not shown at 100 columns: count, cosine, relative; --format csv has all\n");
    const std::string in_colour = to_text(diff_document(all_verdicts(), presentation()), {.colour = true});
    CHECK(contains(in_colour, "\x1b[1;31mmismatch\x1b[0m"));
    CHECK(contains(in_colour, "\x1b[32mexact\x1b[0m"));
}

TEST_CASE("diff's table: without a network there are no words, nor is a name taken for one of its values") {
    const auto lines = rows_of_table(all_verdicts(), without_words());
    CHECK(contains(lines[0], "[5, 4] -7 | 0.1"));
    CHECK(lines[1].starts_with("  loss"));
    for (const std::string& line : lines) {
        CHECK_FALSE(contains(line, "dimension"));
    }
}

TEST_CASE("diff's table: digits enough to tell two neighbours apart, and names that steer no terminal") {
    File a, b;
    a.add<float>("f\x1b[2J\n", {1}, {0.1F}).add<double>("d", {1}, {0.1});
    b.add<float>("f\x1b[2J\n", {1}, {std::nextafter(0.1F, 1.0F)}).add<double>("d", {1}, {std::nextafter(0.1, 1.0)});
    const auto lines = rows_of_table(diff("a", a.sources(), "b", b.sources(), {}), without_words());
    CHECK(lines[0].starts_with("  f\\x1b[2J\\x0a  "));
    CHECK(lines[0].ends_with("  [0] 0.1 | 0.10000001"));
    CHECK(lines[1].ends_with("  [0] 0.10000000000000001 | 0.10000000000000002"));
    CHECK_FALSE(contains(lines.back(), "\x1b"));
}

TEST_CASE("diff's conclusion: how far apart, and what only one has") {
    const auto conclusion_of = [](const File& a, const File& b, double limit) {
        const Text text = conclusion(diff("a", a.sources(), "b", b.sources(), {.limit = {.absolute = limit}}));
        CHECK(text.mark == (text.lead == "they agree" ? Mark::good : Mark::bad));
        return text.lead + text.words;
    };
    File one, two, both;
    one.add<float>("x", {1}, {1});
    two.add<float>("x", {1}, {1.5F});
    both.add<float>("x", {1}, {1}).add<float>("y", {1}, {1});
    CHECK(conclusion_of(one, one, 0) == "they agree: 1 tensor; no two values differ");
    CHECK(conclusion_of(both, both, 0) == "they agree: 2 tensors; no two values differ");
    CHECK(conclusion_of(one, two, 0.5) == "they agree: 1 tensor; furthest apart: x, by 5.0e-01");
    CHECK(conclusion_of(one, two, 0.25) == "they disagree: 1 of 1 tensor; furthest apart: x, by 5.0e-01");
    CHECK(conclusion_of(both, one, 0) == "they disagree: 1 of 2 tensors; only in A: 1");
    CHECK(conclusion_of(File(), both, 0) == "they disagree: 2 of 2 tensors; only in B: 2");
}

TEST_CASE("diff as JSON: every field, null where it is not known") {
    const Json j = diff_json(all_verdicts(), presentation());
    CHECK(j["verdict"].get<std::string>() == "disagree");
    CHECK(j["a"].get<std::string>() == "one.st");
    CHECK(j["b"].get<std::string>() == "more/two.st");
    CHECK(j["limit"] == 0.25);
    REQUIRE(j["tensors"].size() == 7);
    const Json within = {{"name", "dC"},
                         {"shape", {4, 2}},
                         {"type", "F32"},
                         {"count", 8},
                         {"bit_equal", false},
                         {"max_abs_diff", 0.25},
                         {"max_rel_diff", 0.25 / 3.25},
                         {"max_ulp", 1 << 20},
                         {"of_rounding", j["tensors"][1]["of_rounding"]},
                         {"cosine", j["tensors"][1]["cosine"]},
                         {"scale", 3.25},
                         {"worst", {{"index", {3, 0}}, {"where", "dC row 'q', dimension 0"}, {"a", 3.0}, {"b", 3.25}}},
                         {"note", nullptr},
                         {"verdict", "within"}};
    CHECK(j["tensors"][1] == within);
    const Json exact = j["tensors"][0], scalar = j["tensors"][3], shape = j["tensors"][4], missing = j["tensors"][6];
    CHECK(exact["bit_equal"] == true);
    CHECK(exact["worst"].is_null());
    CHECK(scalar["verdict"].get<std::string>() == "non-finite");
    CHECK(scalar["worst"]["a"].get<std::string>() == "nan");
    CHECK(scalar["worst"]["where"].get<std::string>() == "loss");
    CHECK(scalar["worst"]["index"] == Json::array());
    CHECK(shape["note"].get<std::string>() == "(5, 4) in A, (4, 5) in B");
    CHECK(missing["note"].get<std::string>() == "only in B");
    CHECK(missing["name"].get<std::string>() == "theirs");
    for (const char* field : {"max_abs_diff", "max_ulp", "scale"}) {
        CHECK(scalar[field].is_null());
        CHECK(shape[field].is_null());
        CHECK(missing[field].is_null());
    }
    CHECK(missing["worst"].is_null());

    // A path need not be UTF-8.
    Diff fine = diff("\xff", {}, "b", {}, {});
    const Json none = text::parsed_json(printed_json(diff_json(fine, presentation()), 1));
    CHECK(none["verdict"].get<std::string>() == "agree");
    CHECK(none["a"].get<std::string>() == "\xef\xbf\xbd");
    CHECK(none["tensors"] == Json::array());
}

TEST_CASE("diff as CSV: a row a tensor, every figure under its name") {
    const auto all = rows_of(diff_csv(all_verdicts(), presentation()));
    REQUIRE(all.size() == 7);
    CHECK(all[1] == std::map<std::string, std::string>{{"name", "dC"},
                                                       {"shape", "4 2"},
                                                       {"type", "F32"},
                                                       {"count", "8"},
                                                       {"bit_equal", "false"},
                                                       {"max_abs_diff", "0.25"},
                                                       {"max_rel_diff", all[1].at("max_rel_diff")},
                                                       {"max_ulp", "1048576"},
                                                       {"of_rounding", all[1].at("of_rounding")},
                                                       {"cosine", all[1].at("cosine")},
                                                       {"scale", "3.25"},
                                                       {"worst_index", "3 0"},
                                                       {"worst_where", "dC row 'q', dimension 0"},
                                                       {"worst_a", "3"},
                                                       {"worst_b", "3.25"},
                                                       {"note", ""},
                                                       {"verdict", "within"}});
    CHECK(all[0].at("bit_equal") == "true");
    CHECK(all[3].at("worst_a") == "nan");
    CHECK(all[4].at("note") == "(5, 4) in A, (4, 5) in B");
    for (const char* key : {"bit_equal", "max_abs_diff", "max_ulp", "scale", "worst_index", "worst_where", "worst_a"}) {
        CHECK(all[5].at(key).empty());
    }
    // An empty name is a field too, and a strange one stays in its own.
    const auto strange = rows_of(diff_csv({"a", "b", {}, {named(""), named("a \"b\",\r\n")}}, presentation()));
    REQUIRE(strange.size() == 2);
    CHECK(strange[0].at("name").empty());
    CHECK(strange[0].at("verdict") == "missing");
    CHECK(strange[1].at("name") == "a \"b\",\\x0d\\x0a");
    // A spreadsheet runs none as a formula; numbers stay numbers.
    for (const char* formula : {"=cmd|' /C calc'!A0", "@SUM", "+1", "-1"}) {
        const auto rows = rows_of(diff_csv({"a", "b", {}, {named(formula)}}, presentation()));
        CHECK(rows.at(0).at("name") == "'" + std::string(formula));
    }
}

TEST_CASE("diff as JUnit: a test case a tensor, and a failure for each that differs") {
    const Element root = read_junit(diff_junit(all_verdicts(), presentation()));
    REQUIRE(root.children.size() == 1);
    const Element& suite = root.children[0];
    CHECK(suite.attributes.at("name") == "one.st against more/two.st");
    CHECK(suite.attributes.at("package") == "byhand.diff");
    CHECK(suite.attributes.at("tests") == "7");
    CHECK(suite.attributes.at("failures") == "5");
    const std::vector<Element>& properties = suite.children[0].children;
    REQUIRE(properties.size() == 3);
    CHECK(properties[0].attributes.at("value") == "one.st");
    CHECK(properties[1].attributes.at("value") == "more/two.st");
    CHECK(properties[2].attributes.at("name") == "limit");
    CHECK(properties[2].attributes.at("value") == "0.25");
    CHECK(case_of(suite, "diff", "manual/h").children.empty());
    CHECK(case_of(suite, "diff", "dC").children.empty());

    const std::map<std::string, std::string> messages = {
        {"torch/dW1", "mismatch: torch/dW1 from position 3, dimension 1 to unit 4"},
        {"loss", "non-finite: loss"},
        {"W2", "shape: (5, 4) in A, (4, 5) in B"},
        {"mine", "missing: only in A"},
        {"theirs", "missing: only in B"}};
    for (const auto& [name, message] : messages) {
        const Element& failure = case_of(suite, "diff", name).children.at(0);
        CHECK(failure.attributes.at("message") == message);
        CHECK(failure.attributes.at("type") == message.substr(0, message.find(':')));
    }
    const std::string figures = case_of(suite, "diff", "torch/dW1").children.at(0).text;
    CHECK(contains(figures, "max_abs_diff: 7.1\n"));
    CHECK(contains(figures, "scale: 7\n"));
    CHECK(contains(figures, "max_ulp: 92"));
    CHECK(contains(figures, "worst.a: -7\nworst.b: 0.1\n"));
}

TEST_CASE("diff as JUnit: valid whatever the names are") {
    const Diff strange = {"<a>\x1b", "\xff&", {}, {named(""), named("<\"&\x01>")}};
    const Element root = read_junit(diff_junit(strange, presentation()));
    CHECK(root.children.at(0).attributes.at("name") == "<a>\xef\xbf\xbd against \xef\xbf\xbd&");
    CHECK(case_of(root.children[0], "diff", "\"\"").children.size() == 1);
    CHECK(case_of(root.children[0], "diff", "<\"&\xef\xbf\xbd>").children.size() == 1);
    const Diff turned = {"a", "b", {}, {named("d\u202eW\u2028")}};
    const Element told = read_junit(diff_junit(turned, presentation()));
    CHECK(case_of(told.children[0], "diff", R"(d\xe2\x80\xaeW\xe2\x80\xa8)").children.size() == 1);
    CHECK(read_junit(diff_junit({}, presentation())).children.at(0).attributes.at("tests") == "0");
}

TEST_CASE("diff: the filter takes rows away, never the verdict") {
    const auto only = [](const std::string& name) { return name == "dC"; };
    const std::vector<std::string> lines = rows_of_table(all_verdicts(), presentation(only));
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].starts_with("  dC  "));
    CHECK(contains(diff_table(all_verdicts(), presentation(only)), "they disagree: 5 of 7 tensors"));
    const Json j = diff_json(all_verdicts(), presentation(only));
    CHECK(j["tensors"].size() == 1);
    CHECK(j["verdict"].get<std::string>() == "disagree");
    CHECK(rows_of(diff_csv(all_verdicts(), presentation(only))).size() == 1);
    // Nor does it take the failure from the counts, which agree with the exit code.
    const Element suite = read_junit(diff_junit(all_verdicts(), presentation(only))).children[0];
    CHECK(suite.attributes.at("tests") == "2");
    CHECK(suite.attributes.at("failures") == "1");
    CHECK(case_of(suite, "diff", "dC").children.empty());
    const auto wrong_one = [](const std::string& name) { return name == "W2"; };
    CHECK(read_junit(diff_junit(all_verdicts(), presentation(wrong_one))).children[0].attributes.at("tests") == "1");
}

TEST_CASE("diff: words are those of the network, after whatever stands before a slash") {
    const auto where = [](const std::string& name, const Shape& shape, std::size_t position, const Presentation& how) {
        DiffedTensor tensor = named(name);
        tensor.shape = shape;
        tensor.worst = Worst{position, 1, std::nullopt, 2};
        tensor.verdict = Verdict::mismatch;
        return diff_json({"a", "b", {}, {tensor}}, how)["tensors"][0]["worst"]["where"].get<std::string>();
    };
    CHECK(where("new_C", {4, 2}, 7, presentation()) == "new_C row 'q', dimension 1");
    CHECK(where("module/new_C", {4, 2}, 7, presentation()) == "module/new_C row 'q', dimension 1");
    CHECK(where("encoder/w", {4, 2}, 7, presentation()) == "encoder/w [3, 1]");
    CHECK(where("a/b/C", {4, 2}, 7, presentation()) == "a/b/C [3, 1]");
    CHECK(where("C", {4, 2}, 7, without_words()) == "C [3, 1]");
    CHECK(where("x", {}, 0, without_words()) == "x");
    CHECK(where("encoder/x", {}, 0, presentation()) == "encoder/x");
}
