#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/parsed_json.h"
#include "cli/exercise_file.h"
#include "cli/program.h"

// byhand exercise, and training with what came of it: the shipped file with bodies filled in by the tests.

namespace cli_test {

TEST_CASE("exercise: the shipped file is empty: all is to do, and what each reads is told") {
    need_torch();
    const Folder folder;
    const Outcome outcome = byhand(folder, {"exercise", "--verbose"}, {{"COLUMNS", "300"}});
    CHECK(says(outcome, "\nnext: write dlogprobs ("));
    CHECK(outcome.code == 1);
    CHECK(those_that_are("to do", outcome).size() == 28);
    CHECK(standings(outcome).size() == 28);
    CHECK(says(outcome, "reads dbnraw, bnvar_inv, dbndiff2, bndiff\n"));
    CHECK(says(outcome, "step by step: 0 of 26 right, 26 to do; in one formula: 0 of 2 right, 2 to do\n"));
    CHECK_FALSE(says(outcome, "culprit"));
    CHECK(folder.files().empty());
    CHECK(outcome.err.empty());  // not a warning of the compiler's
    const Json report = parsed_json(byhand(folder, {"exercise", "--format", "json"}).out);
    CHECK(report["culprits"].empty());
    CHECK(report["verdict"].get<std::string>() == "disagree");
    CHECK(report["steps"].empty());
    CHECK(report["functions"].size() == 28);
    CHECK(report["functions"][0]["standing"].get<std::string>() == "to do");
}

TEST_CASE("exercise: filled in rightly, all are right, isolated and end to end, on networks of other shapes too") {
    need_torch();
    const Folder folder;
    for (const Arguments& network :
         {Arguments{}, Arguments{"--hidden", "37", "--batch", "9", "--embedding", "3", "--bn-variance", "biased"},
          Arguments{"--norm", "after", "--bn-eps", "0.01"}, Arguments{"--batch", "1", "--bn-variance", "biased"}}) {
        fill_in(folder, network.empty() ? counted_by_int(right_bodies()) : right_bodies());
        const Outcome outcome = byhand(folder, Arguments{"exercise", "mine.cpp", "--verbose"} + network);
        INFO(outcome.out << outcome.err);
        CHECK(outcome.code == 0);
        CHECK(outcome.err.empty());  // not a warning, whatever loops count by
        CHECK(those_that_are("right", outcome).size() == 28);
        CHECK(says(outcome, "step by step: 26 of 26 right; in one formula: 2 of 2 right\n"));
        CHECK_FALSE(says(outcome, "inherited"));
    }
}

TEST_CASE("exercise: what a network of another kind has not is told, and no fault") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    const Outcome outcome = exercise(folder, {"--recipe", "makemore-bn", "--batch", "13"});
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 0);
    CHECK(those_that_are("absent", outcome) == Names{"db1"});
    CHECK(says(outcome, "step by step: 25 of 26 right, 1 not in this network; in one formula: 2 of 2 right\n"));
    const Outcome without_a_norm = exercise(folder, {"--norm", "none"});
    CHECK(without_a_norm.code == 0);
    CHECK(those_that_are("absent", without_a_norm).size() == 10);
    folder.write("mine.cpp",
                 folder.read("mine.cpp").replace(folder.read("mine.cpp").find("\"dbnvar\""), 8, "\"dbnvr\""));
    check_refused(exercise(folder), "a function makes dbnvr, which is no step of this network; the nearest is dbnvar");
}

TEST_CASE("exercise: the same in words that round more often is right as well") {
    need_torch();
    const Folder folder;
    Bodies bodies =
        with(right_bodies(), "dprobs", "dlogprobs(i, j) / probs(i, j)", "(1 / probs(i, j)) * dlogprobs(i, j)");
    bodies = with(bodies, "dcounts_sum", "-dcounts_sum_inv(i) / (counts_sum(i) * counts_sum(i))",
                  "-std::pow(counts_sum(i), T(-2)) * dcounts_sum_inv(i)");
    bodies = with(bodies, "dbnvar", "T(-0.5) / (x * std::sqrt(x)) * dbnvar_inv(j)",
                  "T(-0.5) * std::pow(x, T(-1.5)) * dbnvar_inv(j)");
    bodies = with(bodies, "dbndiff2", "dbnvar(j) / T(norm.divisor)", "T(1) / T(norm.divisor) * dbnvar(j)");
    bodies = with(bodies, "dhpreact", "dh(i, j) * (1 - h(i, j) * h(i, j))", "(1 - std::pow(h(i, j), 2)) * dh(i, j)");
    bodies = with(bodies, "dhprebn", "dbnmeani(j) / T(out.size(0))", "T(1) / T(out.size(0)) * dbnmeani(j)");
    fill_in(folder, bodies);
    const Outcome outcome = exercise(folder, {"--batch", "31"});
    INFO(outcome.out);
    CHECK(outcome.code == 0);
    CHECK(those_that_are("right", outcome).size() == 28);
}

TEST_CASE("exercise: some of it, in any order, with a mistake: the culprit, its line, and what inherits") {
    need_torch();
    const Folder folder;
    const Bodies all = right_bodies();
    const Bodies wrong = with(all, "dbndiff2", "T(norm.divisor)", "T(out.size(0))");
    fill_in(folder, {{"dbndiff2", wrong.at("dbndiff2")},
                     {"dC", all.at("dC")},
                     {"dbnvar", all.at("dbnvar")},
                     {"dbndiff", all.at("dbndiff")}});
    const Outcome outcome = exercise(folder);
    INFO(outcome.out);
    CHECK(outcome.code == 1);
    CHECK(those_that_are("wrong", outcome) == Names{"dbndiff2"});
    CHECK(those_that_are("right", outcome) == Names{"dC", "dbnvar", "dbndiff"});
    CHECK(those_that_are("to do", outcome).size() == 24);
    CHECK(lines_of(outcome.out).at(4).starts_with("first divergence and culprit: dbndiff2 (mine.cpp:"));
    CHECK(says(outcome, "n against n − 1"));
    CHECK(says(outcome, "inherited from dbndiff2: dbndiff, dC\n"));  // through ours, which are not shown
    // The line is that of the function.
    const std::string first = lines_of(outcome.out).at(4);
    const std::size_t line = std::stoul(first.substr(first.find(":", first.find("(mine.cpp")) + 1));
    CHECK(text::contains(lines_of(folder.read("mine.cpp")).at(line - 1), "void dbndiff2("));
    CHECK_FALSE(says(outcome, "dbnvar / D"));  // never the solution
}

TEST_CASE("exercise: the report of one mistake fits a screen, and its next step names file, network and gradient") {
    need_torch();
    const Folder folder;
    const Environment screen = {{"CXXFLAGS", "-O0"}, {"COLUMNS", "80"}};
    fill_in(folder, with(right_bodies(), "dcounts", " + dcounts_sum(i)", ""));
    const Outcome wrong = byhand(folder, {"exercise", "mine.cpp", "--batch", "29"}, screen);
    INFO(wrong.out);
    CHECK(wrong.code == 1);
    CHECK(lines_of(wrong.out).size() <= 24);
    CHECK(wrong.out.find("step by step: 25 of 26 right, 1 wrong") < wrong.out.find("culprit: dcounts (mine.cpp:70)"));
    CHECK(says(wrong, "\n  inherited from dcounts: dnorm_logits, dlogit_maxes, dlogits, dh, … (20)\n"));
    CHECK(says(wrong, "yours 0, expected 0."));
    CHECK(says(wrong, "\nnext: fix dcounts (mine.cpp:70) and run the command again"));
    CHECK(says(wrong, "\n  byhand exercise --batch 29 --hint dcounts\n"));
    fill_in(folder, right_bodies());
    const Outcome right = byhand(folder, {"exercise", "mine.cpp", "--batch", "29"}, screen);
    CHECK(right.code == 0);
    CHECK(says(right, "\n  byhand train --model exercise --functions mine.cpp --batch 29\n"));
}

TEST_CASE("exercise: as JSON and JUnit, only what is theirs") {
    need_torch();
    const Folder folder;
    const Bodies all = right_bodies();
    fill_in(folder, {{"dh", with(all, "dh", "W2(k, j)", "-W2(k, j)").at("dh")}, {"dhpreact", all.at("dhpreact")}});
    const Outcome as_json = exercise(folder, {"--format", "json", "--output", "report.json"});
    CHECK(as_json.code == 1);
    CHECK(as_json.out.empty());
    const Json report = parsed_json(folder.read("report.json"));
    CHECK(report["verdict"].get<std::string>() == "disagree");
    CHECK(report["culprits"].get<Names>() == Names{"dh"});
    CHECK(report["victims"].get<Names>() == Names{"dhpreact"});
    const Outcome junit = exercise(folder, {"--format", "junit"});
    CHECK(junit.code == 1);
    CHECK(text::contains(junit.out, R"(tests="28" failures="25" errors="0" skipped="2")"));
    CHECK(text::contains(junit.out, "<failure"));
}

TEST_CASE("exercise: += on a result that was never set is named as that; a read past the end is not") {
    need_torch();
    const Folder folder;
    Bodies bodies = with(right_bodies(), "dbnbias", "T sum = 0;", "");
    bodies = with(with(bodies, "dbnbias", "sum += ", "out(j) += "), "dbnbias", "out(j) = sum;", "");
    bodies = with(bodies, "dC", "out(v, e) = 0;", "");
    bodies = with(bodies, "dnorm_logits", "* counts(i, j)", "* counts.data()[counts.count() + j]");
    fill_in(folder, bodies);
    const Outcome outcome = exercise(folder);
    INFO(outcome.out << outcome.err);
    CHECK(those_that_are("wrong", outcome) == Names{"dbnbias", "dC", "dnorm_logits"});
    std::map<std::string, bool> unset;
    for (const std::string& line : lines_of(outcome.out)) {
        if (line.find(" wrong ") != std::string::npos) {
            unset[line.substr(2, line.find(' ', 2) - 2)] =
                text::contains(line, "adds to its result, which is not initialised");
        }
    }
    CHECK(unset == std::map<std::string, bool>{{"dbnbias", true}, {"dC", true}, {"dnorm_logits", false}});
}

TEST_CASE("exercise: the report begins with the file that is judged, and says what is given in float alone") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    std::string text = folder.read("mine.cpp");
    const std::string in_double = "add_all<double>(steps);";
    text.replace(text.find(in_double), in_double.size(), "");
    folder.write("backward.cpp", text);
    const Outcome named = byhand(folder, {"exercise", "backward.cpp", "--batch", "7"}, fast_build_wide_report());
    CHECK(named.code == 0);
    CHECK(named.out.starts_with("judged: backward.cpp\n"));
    CHECK(says(named, "26 of 26 right (26 in float only: double is not judged)"));
    // Without FILE the shipped file is judged, not the one in this folder.
    const Outcome shipped = byhand(folder, {"exercise"}, fast_build_wide_report());
    CHECK(says(shipped, "exercise/backward.cpp, the default; byhand exercise backward.cpp judges the one in"));
    const Json report =
        json_of(byhand(folder, {"exercise", "backward.cpp", "--format", "json"}, fast_build_wide_report()));
    CHECK(report["file"].get<std::string>() == "backward.cpp");

    const std::string in_float = "add_all<float>(steps);";
    text = folder.read("mine.cpp");
    text.replace(text.find(in_float), in_float.size(), "steps.add(\"dh\", dh<float>);");
    folder.write("double.cpp", text);
    check_refused(byhand(folder, {"exercise", "double.cpp"}, fast_build_wide_report()),
                  "double.cpp: byhand_steps adds dlogprobs in double alone; add it in float as well");
}

TEST_CASE("exercise and compare: more rows than there is memory for are refused before anything is computed") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    for (const Arguments& command : {Arguments{"exercise", "mine.cpp"}, Arguments{"compare"}}) {
        check_refused(byhand(folder, command + Arguments{"--batch", "4000000"}),
                      "4000000 rows of this network need about ");
    }
}

TEST_CASE("exercise: a mistake that the batch does not show comes with a small input that does") {
    need_torch();
    const Folder folder;
    // The last of equal maxima.
    fill_in(folder,
            with(right_bodies(), "dlogits", "logits(i, j) > logits(i, largest)", "logits(i, j) >= logits(i, largest)"));
    const Outcome outcome = exercise(folder);
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(says(outcome,
               "  the smallest input found that shows it, with 1 row:\n"
               "  const float dnorm_logits[1][2] = {{0, 0}};\n"
               "  const float dlogit_maxes[1] = {1};\n"
               "  const float logits[1][2] = {{0, 0}};  // dlogits[0][1] 1, expected 0\n"));
    const Json report = parsed_json(exercise(folder, {"--format", "json"}).out);
    const Json input = report["blame"][0]["trial"]["smallest_input"];
    CHECK(input["values"]["logits"][0][1] == 0.0);
    CHECK(input["made"][0][1] == 1.0);
    CHECK(input["right"][0][0] == 1.0);
}

TEST_CASE("exercise: what a mistake makes that is known is told by its name, and numbers are yours") {
    need_torch();
    const Folder folder;
    fill_in(folder, with(right_bodies(), "dC", "+=", "="));
    const Outcome outcome = exercise(folder);
    INFO(outcome.out << outcome.err);
    CHECK(says(outcome, "  hint: the known mistake embedding-overwritten produces these numbers: = for += in dC"));
    CHECK(says(outcome, ": yours "));
    CHECK_FALSE(says(outcome, "by hand"));
}

TEST_CASE("exercise: a known mistake in double alone, a row left out and a minimum for a maximum have a hint") {
    need_torch();
    const Folder folder;
    Bodies bodies = with(right_bodies(), "dbnvar", "T(-0.5)", "T(sizeof(T) == 8 ? 0.5 : -0.5)");
    bodies = with(bodies, "dcounts_sum", "-dcounts_sum_inv", "T(sizeof(T) == 8 ? 1 : -1) * dcounts_sum_inv");
    bodies = with(bodies, "dC", "+=", "= T(sizeof(T) == 8 ? 0 : 1) * out(X(i, t), e) +");
    bodies = with(bodies, "db2", "i < dlogits.size(0)", "i + 1 < dlogits.size(0)");
    bodies = with(bodies, "dW2", "std::size_t i = 0", "std::size_t i = 1");
    bodies = with(bodies, "dbngain", "i < bnraw.size(0)", "i < bnraw.size(0) - 1");
    fill_in(folder, with(bodies, "dlogits", "logits(i, j) > ", "logits(i, j) < "));
    const Outcome outcome = exercise(folder);
    INFO(outcome.out << outcome.err);
    CHECK(those_that_are("wrong", outcome) == Names{"dC", "dW2", "db2", "dbngain", "dbnvar", "dcounts_sum", "dlogits"});
    CHECK(says(outcome, "  hint: the known mistake embedding-overwritten produces these numbers: = for += in dC"));
    CHECK(says(outcome, "  hint: the last row of dlogits is left out"));
    CHECK(says(outcome, "  hint: the first row of "));
    CHECK(says(outcome, "  hint: the last row of dhpreact is left out"));
    CHECK(says(outcome, "  hint: the right step makes these numbers of −logits"));
}

TEST_CASE("exercise: the mistakes that learners make have a hint that holds in more than one shape") {
    need_torch();
    const Folder folder;
    Bodies bodies = with(right_bodies(), "dcounts", " + dcounts_sum(i)", "");
    bodies = with(bodies, "dhpreact", "1 - h(i, j) * h(i, j)", "1 - std::tanh(h(i, j)) * std::tanh(h(i, j))");
    bodies = with(bodies, "dbnvar", "T(-0.5) / (x * std::sqrt(x))", "T(-0.5) * std::pow(x, -3 / 2)");
    bodies = with(bodies, "dcounts_sum", "-dcounts_sum_inv(i)", "-1 / 2 * dcounts_sum_inv(i)");
    bodies = with(bodies, "dcounts_sum_inv", "sum +=", "sum =");  // zero on most rows of the batch
    bodies = with(bodies, "demb", "t * out.size(2) + e", "e * out.size(1) + t");
    bodies = with(bodies, "dbngain", "sum +=", "sum =");
    bodies = with(bodies, "db2", "sum += dlogits(i, j)", "sum = dlogits(0, j)");
    bodies = with(bodies, "dbndiff2", "/ T(norm.divisor)", "/ std::sqrt(T(norm.divisor) * T(out.size(0)))");
    bodies = with(bodies, "dbndiff", "bnvar_inv(j) + 2 * bndiff(i, j) * dbndiff2(i, j)", "bnvar_inv(j)");
    bodies["dlogit_maxes"] =
        "    for (std::ptrdiff_t j = 0; j < dnorm_logits.size(1); ++j) {\n"
        "        out(j) = 0;\n"
        "        for (std::ptrdiff_t i = 0; i < out.size(0); ++i) {\n"
        "            out(j) -= dnorm_logits(i, j);\n"
        "        }\n"
        "    }\n";
    fill_in(folder, bodies);
    const Outcome outcome = exercise(folder);
    INFO(outcome.out << outcome.err);
    for (const char* mistake :
         {"counts-sum-path-forgotten", "tanh-applied-twice", "dbnvar-integer-exponent", "counts-gradient-not-summed",
          "flatten-gradient-permuted", "bias-gradient-first-row", "dvar-path-forgotten"}) {
        CHECK(says(outcome, std::string("  hint: the known mistake ") + mistake + " produces these numbers: "));
    }
    CHECK(says(outcome, "  hint: all zero\n"));  // dcounts_sum
    CHECK(says(outcome, "  hint: only the last row of dhpreact is counted\n"));
    CHECK(says(outcome, "  hint: off by the factor √(31/32) = √((n − 1)/n): "));
    CHECK(
        says(outcome,
             "  hint: nothing is written from element 27 on, and dnorm_logits has 27 columns: a sum over the wrong "));
}

TEST_CASE("exercise: a factor of one shape only, and zeros that come from the input, are no hint") {
    need_torch();
    const Folder folder;
    // 31/32 whatever the number of rows; and all zero on the batch, where the classes of the targets are no last one.
    Bodies bodies = with(right_bodies(), "dbndiff2", "/ T(norm.divisor)", "/ T(norm.divisor) * (T(31) / T(32))");
    bodies = with(bodies, "dcounts_sum_inv", "sum += dprobs(i, j) * counts(i, j)",
                  "sum = dprobs(i, j) * counts(i, j) * (j + 1 == counts.size(1))");
    fill_in(folder, bodies);
    const Outcome outcome = exercise(folder);
    INFO(outcome.out << outcome.err);
    CHECK(those_that_are("wrong", outcome) == Names{"dbndiff2", "dcounts_sum_inv"});
    CHECK_FALSE(says(outcome, "n against n − 1"));
    CHECK_FALSE(says(outcome, "all zero"));
}

TEST_CASE("exercise --hint: three levels, with the formula only in the last") {
    const Folder folder;
    const auto hint = [&](const std::string& asked) {
        const Outcome outcome = byhand(folder, {"exercise", "--hint", asked});
        CHECK(outcome.code == 0);
        return outcome.out;
    };
    using text::contains;
    CHECK(contains(hint("dbnvar"), "reads dbnvar_inv, bnvar\n"));
    CHECK_FALSE(contains(hint("dbnvar"), "rule"));
    CHECK(contains(hint("dbnvar:2"), "the rule: "));
    CHECK_FALSE(contains(hint("dbnvar:2"), "the formula"));
    CHECK(contains(hint("dbnvar:3"), "the formula: dbnvar = −½·(bnvar + ε)^(−3/2)·dbnvar_inv"));
    CHECK(contains(hint("dlogits:3"), "dlogit_maxes"));
    CHECK(contains(hint("dlogits_in_one:3"), "one-hot(Y)"));
    CHECK(contains(hint("dhprebn_in_one"), "reads dbnraw, bnraw, bnvar_inv, bnvar\n"));
    check_refused(byhand(folder, {"exercise", "--hint", "dbnvr"}), "the nearest is dbnvar");
    check_refused(byhand(folder, {"exercise", "--hint", "dbnvar:4"}), "--hint: expected a gradient's name");
    check_refused(byhand(folder, {"exercise", "--hint", "dbnvar_in_one"}), "there is no gradient dbnvar_in_one");
    check_refused(byhand(folder, {"exercise", "--hint", "bnvar"}), "the nearest is dbnvar");
}

TEST_CASE("exercise: every gradient of the shipped file has its hints and its place in the docs") {
    const Folder folder;
    const std::string docs = source_file("docs/backprop.md");
    const std::string file = source_file("exercise/backward.cpp");
    Names anchors;
    for (const std::string& line : lines_of(docs)) {
        if (line.starts_with("### ")) {
            std::string anchor = line.substr(4);
            std::ranges::transform(anchor, anchor.begin(),
                                   [](unsigned char c) { return static_cast<char>(c == ' ' ? '-' : std::tolower(c)); });
            anchors.insert(anchor);
        }
    }
    std::size_t places = 0;
    for (const std::string& line : lines_of(file)) {
        const std::size_t at = line.find("docs/backprop.md#");
        if (at != std::string::npos) {
            const std::string anchor = line.substr(at + 17);
            INFO(anchor);
            CHECK(anchors.contains(anchor));
            ++places;
        }
    }
    CHECK(places == 28);
    for (const auto& [name, body] : right_bodies()) {
        const Outcome outcome = byhand(folder, {"exercise", "--hint", name + ":3"});
        INFO(name << ": " << outcome.out);
        CHECK(outcome.code == 0);
        CHECK(text::contains(outcome.out, "the rule: "));
        CHECK_FALSE(text::contains(outcome.out, "the formula: \n"));
    }
}

TEST_CASE("train --model exercise: one's own gradients train as ours do, and are refused while some are to do") {
    const Folder folder;
    const auto train = [&](const Arguments& more) {
        return byhand(folder, Arguments{"train", "--steps", "30", "--no-save", "--json", "--hidden", "19"} + more);
    };
    fill_in(folder, right_bodies());
    const Outcome trained = train({"--model", "exercise", "--functions", "mine.cpp"});
    const Json own = json_of(trained);
    CHECK(text::contains(trained.err, "dlogits_in_one is left out: the functions of the small steps are used\n"));
    CHECK_FALSE(text::contains(trained.err, "warning"));
    const Json ours = json_of(train({"--model", "stepwise"}));
    CHECK(own["model"].get<std::string>() == "exercise");
    for (const char* part : {"train", "val", "test"}) {
        const double theirs = own["final"][part].get<double>(), right = ours["final"][part].get<double>();
        CHECK(std::abs(theirs - right) <= 1e-5 * right);
    }
    // Theirs is what trains: with a wrong gradient it comes out elsewhere.
    fill_in(folder, with(right_bodies(), "dW1", "embcat(i, k)", "2 * embcat(i, k)"));
    const Outcome trained_wrongly = train({"--model", "exercise", "--functions", "mine.cpp"});
    const Json wrong = json_of(trained_wrongly);
    CHECK(text::contains(trained_wrongly.err,
                         "warning: dW1 is wrong, and training goes on with it; byhand exercise "
                         "mine.cpp says what is\n") == with_torch());
    CHECK(std::abs(wrong["final"]["train"].get<double>() - ours["final"]["train"].get<double>()) > 1e-4);

    Bodies most = right_bodies();
    most.erase("dh");
    most.erase("dhprebn_in_one");
    fill_in(folder, most);
    check_refused(train({"--model", "exercise", "--functions", "mine.cpp"}), "still to do before training: dh;");
    check_refused(train({"--model", "exercise"}), "still to do before training: dlogprobs, dprobs");
    fill_in(folder, with(right_bodies(), "dh", "W2(k, j)", "W2(j, k)"));
    check_refused(train({"--model", "exercise", "--functions", "mine.cpp"}),
                  "dh reads W2(19, 0), out of bounds: W2 is 19 × 27;");
    fill_in(folder, with(right_bodies(), "dh", "T sum = 0;", "throw 7; T sum = 0;"));
    check_refused(train({"--model", "exercise", "--functions", "mine.cpp"}),
                  "dh: throws an object other than std::exception;");
    check_refused(train({"--functions", "mine.cpp"}), "--functions requires --model exercise");
    check_refused(train({"--threads", "2", "--model", "stepwise"}), "--threads requires --model fused");
    CHECK(train({"--threads", "auto", "--model", "stepwise"}).code == 0);
    check_refused(train({"--model", "exercise", "--functions", "absent.cpp"}),
                  "absent.cpp: can't be read: No such file");
}

TEST_CASE("exercise/kernel.cpp: right on any width, as its author sees it; trained with, and it is what trains") {
    need_torch();
    const Folder folder;
    const std::string kernel = source_file("exercise/kernel.cpp");
    folder.write("kernel.cpp", kernel);
    for (const Arguments& network :
         {Arguments{}, Arguments{"--hidden", "37", "--batch", "9", "--bn-variance", "biased"},
          Arguments{"--hidden", "1", "--batch", "3"}}) {
        const Outcome outcome = byhand(folder, Arguments{"exercise", "kernel.cpp"} + network);
        INFO(outcome.out << outcome.err);
        CHECK(outcome.code == 0);
        CHECK(outcome.err.empty());
        CHECK(says(outcome, "in one formula: 1 of 1 right\n"));
    }
    const auto train = [&](const std::string& model) {
        const Arguments own = model == "exercise" ? Arguments{"--functions", "kernel.cpp"} : Arguments{};
        const Arguments all = {"train", "--model", model, "--steps", "30", "--no-save", "--json", "--hidden", "19"};
        return json_of(byhand(folder, all + own))["final"]["train"].get<double>();
    };
    const double ours = train("collapsed");
    CHECK(std::abs(train("exercise") - ours) <= 1e-5 * ours);
    const std::string last = "- load(bnraw + at) * slope";
    REQUIRE(kernel.find(last) != std::string::npos);
    folder.write("kernel.cpp", std::string(kernel).replace(kernel.find(last), last.size(), ""));
    CHECK(std::abs(train("exercise") - ours) > 1e-4);
    const Outcome wrong = byhand(folder, {"exercise", "kernel.cpp"});
    const std::vector<std::string> lines = lines_of(kernel);
    const auto defined =
        std::ranges::find_if(lines, [](const std::string& line) { return line.starts_with("void norm_backward("); });
    CHECK(says(wrong, "dhprebn_in_one (kernel.cpp:" + std::to_string(defined - lines.begin() + 1) + ")"));
}

}  // namespace cli_test
