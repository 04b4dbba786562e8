// The table of exercise functions.
#include "foreign/exercise/document.h"

#include <catch2/catch_test_macros.hpp>

#include "base/text.h"
#include "harness/results.h"
#include "report/writers.h"

using namespace byhand;
using text::contains;

namespace {

Attempt attempt(const std::string& makes, Standing standing, double used = 0, bool in_one = false) {
    Attempt one{.in_one = in_one, .standing = standing, .value = {}};
    one.value.name = makes;
    if (standing != Standing::absent) {
        one.value.reads = {"x", "dy"};
        one.value.isolated = test::isolated(makes, test::trial(used), test::trial(used));
    }
    return one;
}

Attempt wrong(const std::string& makes, const std::string& note, const std::string& hint) {
    Attempt one = attempt(makes, Standing::wrong);
    Trial& real = one.value.isolated->trials.front();
    real = test::trial(7, Verdict::mismatch);
    real.note = note;
    real.hint = hint;
    return one;
}

Examination some_of_each() {
    Examination all;
    all.step = test::step_of(
        0, {test::within("da", {3}, 1e-7, 1e-6), test::within("db", {3}, 2e-6, 1e-6), test::missing("dc")}, "exercise");
    all.attempts = {attempt("da", Standing::right, 0.125),   attempt("db", Standing::right, 0.5),
                    attempt("dc", Standing::to_do),          wrong("dv", "", "the negative of the right answer"),
                    wrong("dw", "goes to x(3)", "all zero"), attempt("du", Standing::absent),
                    attempt("da", Standing::to_do, 0, true)};
    all.attempts[0].value.operations = test::within("da", {3}, 1e-7, 1e-6);
    all.attempts[1].value.operations = test::within("db", {3}, 2e-6, 1e-6);
    all.attempts[1].value.role = {Role::Kind::inherited, "dw"};
    all.attempts[2].value.operations = test::missing("dc");
    all.attempts[2].value.operations->verdict = Verdict::not_given;
    return all;
}

Presentation how() {
    Presentation how;
    how.recipe = "notes";
    how.characters = {".", "a", "b", "c"};
    how.shows = [](const std::string&) { return true; };
    return how;
}

std::string exercise_table(const Examination& examination, bool colour) {
    return to_text(exercise_document(examination, how()), {.width = 200, .colour = colour});
}

Json exercise_data(const Examination& examination) {
    return exercise_document(examination, how()).data;
}

std::string exercise_junit(const Examination& examination) {
    return report::junit(exercise_document(examination, how()).suites);
}

// The line of a name, its words with one space between.
std::string line_of(const std::string& table, const std::string& name) {
    for (const std::string& line : text::lines_of(table)) {
        if (line.starts_with("  " + name + " ")) {
            std::string words;
            for (const char c : line) {
                if (c != ' ' || (!words.empty() && words.back() != ' ')) {
                    words += c;
                }
            }
            return words;
        }
    }
    return "";
}

}  // namespace

TEST_CASE("exercise table: a line each, wrong ones first, and how many are right") {
    const std::string table = exercise_table(some_of_each(), false);
    CHECK(line_of(table, "da") == "da right 12.5 % 4.0e-07 within");
    CHECK(line_of(table, "db") == "db right 50.0 % 4.0e-07 inherited from dw");
    CHECK(line_of(table, "dc") == "dc to do reads x, dy");
    CHECK(line_of(table, "dv") == "dv wrong the negative of the right answer");
    CHECK(line_of(table, "dw") == "dw wrong goes to x(3)");
    CHECK(line_of(table, "du") == "du absent not in this network");
    CHECK(table.find("  dv ") < table.find("  da "));
    CHECK(table.find("  da ") < table.find("  dc "));
    CHECK(contains(table,
                   "step by step: 2 of 6 right, 2 wrong, 1 to do, 1 not in this network; "
                   "in one formula: 0 of 1 right, 1 to do\n"));
    CHECK_FALSE(contains(table, "\x1b"));
    CHECK(contains(exercise_table(some_of_each(), true), "\x1b[32mright\x1b[0m"));
}

TEST_CASE("exercise: the verdict, the culprits, what to do next, then only what is not right, if that is several") {
    Presentation named = how();
    named.source = [](const std::string& function) { return SourceLine{function + ".cpp:7", ""}; };
    const ExerciseCommands commands{
        "byhand exercise --recipe r --hint",
        {.words = "next: train with these functions:", .code = "  byhand train --recipe r"}};
    const auto in_short = [&](const Examination& examination) {
        return to_text(exercise_document(examination, named, ShownRows::disagreeing, commands), {.width = 200});
    };
    Examination all = some_of_each();
    const std::string several = in_short(all);
    const std::size_t verdict = several.find("step by step: 2 of 6 right"),
                      next = several.find("next: fix dv (dv.cpp:7) and run the command again");
    CHECK(verdict < next);
    CHECK(contains(several, ":\n  byhand exercise --recipe r --hint dv\n"));
    CHECK(next < several.find("  dv "));
    CHECK_FALSE(line_of(several, "dw").empty());
    for (const char* right_or_to_do : {"da", "db", "dc", "du"}) {
        CHECK(line_of(several, right_or_to_do).empty());
    }
    all.attempts.erase(all.attempts.begin() + 4);
    CHECK(line_of(in_short(all), "dv").empty());  // the only one is a paragraph
    all.attempts.erase(all.attempts.begin() + 3);
    CHECK(contains(in_short(all), "next: write dc (dc.cpp:7) and run the command again"));
    all.attempts = {attempt("da", Standing::right)};
    all.step = {};
    CHECK(contains(in_short(all), "next: train with these functions:\n  byhand train --recipe r\n"));
}

TEST_CASE("exercise table: wrong in double only is told so; a form without attempts is left out") {
    Attempt one = attempt("da", Standing::wrong, 0.5);
    one.value.isolated->trials.push_back(test::in_double(test::trial(3, Verdict::mismatch), TrialInput::batch));
    const std::string table = exercise_table({.attempts = {one}, .step = {}, .summary = {}}, false);
    CHECK(line_of(table, "da") == "da wrong off by 3e-07, in double only");
    CHECK_FALSE(contains(table, "in one formula"));
    CHECK(contains(table, "step by step: 0 of 1 right, 1 wrong\n"));
}

TEST_CASE("exercise: what is given in float alone says so, in every form of report") {
    Examination all = some_of_each();
    for (const std::size_t which : {0, 2, 4, 5}) {
        all.attempts[which].in_double = false;
    }
    const std::string table = exercise_table(all, false);
    CHECK(line_of(table, "da") == "da right 12.5 % 4.0e-07 within in float alone");
    CHECK(line_of(table, "db") == "db right 50.0 % 4.0e-07 inherited from dw");
    CHECK(line_of(table, "dc") == "dc to do reads x, dy");
    CHECK(line_of(table, "dw") == "dw wrong goes to x(3), in float alone");
    CHECK(contains(table, "1 not in this network (2 in float only: double is not judged); in one formula"));
    CHECK_FALSE(contains(exercise_table(some_of_each(), false), "float"));
    const Json json = exercise_data(all);
    CHECK_FALSE(json["functions"][0]["in_double"].get<bool>());
    CHECK(json["functions"][0]["why"].is_null());
    CHECK(json["functions"][1]["in_double"].get<bool>());
    CHECK(contains(exercise_junit(all), "in float only: double is not judged"));
    CHECK_FALSE(contains(exercise_junit(some_of_each()), "in float alone"));
}

TEST_CASE("exercise: programs can read which file was judged") {
    Examination all = some_of_each();
    all.file = "a/b & c.cpp";
    CHECK(exercise_data(all)["file"].get<std::string>() == all.file);
    CHECK(contains(exercise_junit(all), R"(<property name="file" value="a/b &amp; c.cpp"/>)"));
}

TEST_CASE("exercise: all is right where nothing is wrong or to do, but for formulas in one") {
    const auto right = [](const std::vector<Attempt>& attempts, bool agree = true) {
        Examination examination{.attempts = attempts, .step = {}, .summary = {}};
        examination.summary.agree = agree;
        return all_right(examination);
    };
    CHECK(right({attempt("da", Standing::right), attempt("db", Standing::absent)}));
    CHECK(right({attempt("da", Standing::right), attempt("da", Standing::to_do, 0, true)}));
    CHECK_FALSE(right({attempt("da", Standing::right), attempt("db", Standing::to_do)}));
    CHECK_FALSE(right({attempt("da", Standing::absent), attempt("da", Standing::to_do, 0, true)}));  // nothing is
    CHECK_FALSE(right({attempt("da", Standing::right), wrong("db", "", "")}));
    CHECK_FALSE(right({attempt("da", Standing::right, 0, true), attempt("db", Standing::wrong, 0, true)}));
    CHECK_FALSE(right({attempt("da", Standing::right)}, false));
}

TEST_CASE("exercise as JSON: a comparison's fields, and a standing for each function") {
    const Json json = exercise_data(some_of_each());
    CHECK(json["verdict"].get<std::string>() == "disagree");
    CHECK(json["steps"].size() == 1);
    REQUIRE(json["functions"].size() == 7);
    const Json& db = json["functions"][1];
    CHECK(db["name"].get<std::string>() == "db");
    CHECK(db["standing"].get<std::string>() == "right");
    CHECK(db["why"].is_null());
    CHECK(db["in_the_chain"].get<std::string>() == "inherited from dw");
    CHECK_FALSE(db["in_one"].get<bool>());
    CHECK(json["functions"][2]["standing"].get<std::string>() == "to do");
    CHECK(json["functions"][4]["why"].get<std::string>() == "goes to x(3)");
    CHECK(json["functions"][6]["in_one"].get<bool>());
    const Examination empty{.attempts = {attempt("da", Standing::to_do)}, .step = {}, .summary = {}};
    CHECK(exercise_data(empty)["verdict"].get<std::string>() == "disagree");
}

TEST_CASE("exercise as JUnit: a test case each, failed, passed or skipped") {
    const std::string xml = exercise_junit(some_of_each());
    CHECK(contains(xml, R"(tests="7" failures="3" errors="0" skipped="2")"));
    CHECK(contains(xml, R"(<testcase classname="exercise.alone" name="da")"));
    CHECK(contains(xml, R"(<testcase classname="exercise-in-one.alone" name="da")"));
    CHECK(contains(xml, "message=\"wrong: mismatch: goes to x(3)"));
    CHECK(contains(xml, "to do: reads x, dy"));
}

namespace {

// The counts of a JUnit report's suite.
std::size_t failures(const Examination& examination) {
    const std::string xml = exercise_junit(examination);
    const std::size_t at = xml.find("failures=\"") + 10;
    return std::stoul(xml.substr(at));
}

Examination one_right(const test::NamedFinding& in_chain) {
    Examination examination;
    examination.attempts = {attempt("da", Standing::right, 0.5)};
    examination.step = test::step_of(0, {in_chain}, "exercise");
    examination.attempts[0].value.operations = in_chain;
    add(examination.summary, examination.step);
    return examination;
}

}  // namespace

TEST_CASE("exercise: no count says that all is right where the exit code is 1") {
    const Examination fine = one_right(test::within("da", {3}, 1e-7, 1e-6));
    CHECK(all_right(fine));
    CHECK(contains(exercise_table(fine, false), "step by step: 1 of 1 right\n"));
    CHECK(failures(fine) == 0);

    SECTION("right isolated, and off end to end") {
        const Examination off = one_right(test::within("da", {3}, 2e-6, 1e-6));
        CHECK_FALSE(all_right(off));
        const std::string table = exercise_table(off, false);
        CHECK(line_of(table, "da") == "da unproven mismatch right in isolation, off end to end");
        CHECK(contains(table, "step by step: 0 of 1 right, 1 unproven\n"));
        CHECK(failures(off) == 1);
        const Json json = exercise_data(off);
        CHECK(json["functions"][0]["standing"].get<std::string>() == "unproven");
    }
    SECTION("all zero, where something else should be") {
        Examination vacuous = one_right(test::within("da", {3}, 1e-7, 1e-6));
        vacuous.attempts[0].value.isolated->trials[1].verdict = Verdict::vacuous;
        vacuous.summary.agree = false;  // by the step isolated
        CHECK(line_of(exercise_table(vacuous, false), "da") == "da unproven within isolated vacuous");
        CHECK(failures(vacuous) == 1);
    }
    SECTION("a step that is still to do") {
        Examination rest = one_right(test::within("da", {3}, 1e-7, 1e-6));
        rest.attempts.push_back(attempt("db", Standing::to_do));
        CHECK_FALSE(all_right(rest));
        CHECK(failures(rest) == 1);
    }
    SECTION("no place for any function") {
        const Examination none{.attempts = {attempt("da", Standing::absent)}, .step = {}, .summary = {}};
        CHECK_FALSE(all_right(none));
        CHECK(failures(none) == 1);
        CHECK(contains(exercise_junit(none), "no function was judged"));
    }
    SECTION("a formula in one may be left to do") {
        Examination rest = one_right(test::within("da", {3}, 1e-7, 1e-6));
        rest.attempts.push_back(attempt("dlogits", Standing::to_do, 0, true));
        CHECK(all_right(rest));
        CHECK(failures(rest) == 0);
    }
}
