#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/exercise_file.h"
#include "cli/program.h"

// byhand exercise, and training with what came of it: the shipped file with bodies filled in by the tests.

namespace cli_test {

TEST_CASE("exercise: in the shipped file all functions are to do, and the report says what each reads") {
    need_torch();
    const Folder folder;
    const Outcome outcome = byhand(folder, {"exercise", "--verbose"}, {{"COLUMNS", "300"}});
    CHECK(says(outcome, "\nnext: write dlogprobs ("));
    CHECK(outcome.code == 1);
    CHECK(those_that_are("to do", outcome).size() == 28);
    CHECK(says(outcome, "reads dbnraw, bnvar_inv, dbndiff2, bndiff\n"));
    CHECK_FALSE(says(outcome, "culprit"));
    CHECK(folder.files().empty());
    CHECK(outcome.err.empty());  // not a warning of the compiler's
}

TEST_CASE("exercise: a function of no step of the network is refused") {
    need_torch();
    const Folder folder;
    std::string text = filled_in(right_bodies());
    folder.write("mine.cpp", text.replace(text.find("\"dbnvar\""), 8, "\"dbnvr\""));
    check_refused(exercise(folder), "a function makes dbnvr, which is no step of this network; the nearest is dbnvar");
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
    fill_in(folder, counted_by_int(right_bodies()));
    const Outcome right = byhand(folder, {"exercise", "mine.cpp", "--batch", "29"}, screen);
    CHECK(right.code == 0);
    CHECK(right.err.empty());  // not a warning, whatever the type of a loop variable
    CHECK(says(right, "\n  byhand train --model exercise --functions mine.cpp --batch 29\n"));
}

TEST_CASE("exercise: the report begins with the file that is judged, by default the shipped one") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    std::string text = folder.read("mine.cpp");
    const std::string in_double = "add_all<double>(steps);", in_float = "add_all<float>(steps);";
    folder.write("backward.cpp", std::string(text).replace(text.find(in_double), in_double.size(), ""));
    const Outcome named = byhand(folder, {"exercise", "backward.cpp", "--batch", "7"}, fast_build_wide_report());
    CHECK(named.code == 0);
    CHECK(named.out.starts_with("judged: backward.cpp\n"));
    CHECK(says(named, "26 of 26 right (26 in float only: double is not judged)"));
    const Outcome shipped = byhand(folder, {"exercise"}, fast_build_wide_report());
    CHECK(says(shipped, "exercise/backward.cpp, the default; byhand exercise backward.cpp judges the one in"));
    folder.write("double.cpp", text.replace(text.find(in_float), in_float.size(), "steps.add(\"dh\", dh<float>);"));
    check_refused(byhand(folder, {"exercise", "double.cpp"}, fast_build_wide_report()),
                  "double.cpp: byhand_steps adds dlogprobs in double alone; add it in float as well");
}

TEST_CASE("exercise --hint: three levels, with the formula only in the last") {
    const Folder folder;
    const auto hint = [&](const std::string& asked) {
        const Outcome outcome = byhand(folder, {"exercise", "--hint", asked});
        CHECK(outcome.code == 0);
        return outcome.out;
    };
    CHECK(contains(hint("dbnvar"), "reads dbnvar_inv, bnvar\n"));
    CHECK_FALSE(contains(hint("dbnvar"), "rule"));
    CHECK(contains(hint("dbnvar:2"), "the rule: "));
    CHECK_FALSE(contains(hint("dbnvar:2"), "the formula"));
    CHECK(contains(hint("dbnvar:3"), "the formula: dbnvar = −½·(bnvar + ε)^(−3/2)·dbnvar_inv"));
    for (const auto& [name, body] : right_bodies()) {
        const std::string text = hint(name + ":3");
        INFO(name << ": " << text);
        CHECK(contains(text, "the rule: "));
        CHECK_FALSE(contains(text, "the formula: \n"));
    }
    check_refused(folder, {{{"exercise", "--hint", "dbnvr"}, "the nearest is dbnvar"},
                           {{"exercise", "--hint", "dbnvar:4"}, "--hint: expected a gradient's name"},
                           {{"exercise", "--hint", "dbnvar_in_one"}, "there is no gradient dbnvar_in_one"},
                           {{"exercise", "--hint", "bnvar"}, "the nearest is dbnvar"}});
}

TEST_CASE("exercise: every gradient of the shipped file has its place in the docs") {
    Names anchors;
    for (const std::string& line : lines_of(source_file("docs/backprop.md"))) {
        if (line.starts_with("### ")) {
            std::string anchor = line.substr(4);
            std::ranges::transform(anchor, anchor.begin(),
                                   [](unsigned char c) { return static_cast<char>(c == ' ' ? '-' : std::tolower(c)); });
            anchors.insert(anchor);
        }
    }
    std::size_t places = 0;
    for (const std::string& line : lines_of(source_file("exercise/backward.cpp"))) {
        const std::size_t at = line.find("docs/backprop.md#");
        if (at != std::string::npos) {
            CAPTURE(line);
            CHECK(anchors.contains(line.substr(at + 17)));
            ++places;
        }
    }
    CHECK(places == 28);
}

TEST_CASE("train --model exercise: own gradients train as byhand's do, and are refused while some are to do") {
    const Folder folder;
    const auto train = [&](const Arguments& more) {
        return byhand(folder, Arguments{"train", "--steps", "30", "--no-save", "--json", "--hidden", "19"} + more);
    };
    fill_in(folder, right_bodies());
    const Outcome trained = train({"--model", "exercise", "--functions", "mine.cpp"});
    const Json own = json_of(trained);
    CHECK(contains(trained.err, "dlogits_in_one is left out: the functions of the small steps are used\n"));
    CHECK_FALSE(contains(trained.err, "warning"));
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
    CHECK(contains(trained_wrongly.err,
                   "warning: dW1 is wrong, and training goes on with it; byhand exercise "
                   "mine.cpp says what is\n") == with_torch());
    CHECK(std::abs(wrong["final"]["train"].get<double>() - ours["final"]["train"].get<double>()) > 1e-4);

    const auto refused = [&](const Bodies& bodies, const std::string& what) {
        fill_in(folder, bodies);
        check_refused(train({"--model", "exercise", "--functions", "mine.cpp"}), what);
    };
    Bodies most = right_bodies();
    most.erase("dh");
    most.erase("dhprebn_in_one");
    refused(most, "still to do before training: dh;");
    refused(with(right_bodies(), "dh", "W2(k, j)", "W2(j, k)"), "dh reads W2(19, 0), out of bounds: W2 is 19 × 27;");
    refused(with(right_bodies(), "dh", "T sum = 0;", "throw 7; T sum = 0;"),
            "dh: throws an object other than std::exception;");
    check_refused(train({"--model", "exercise"}), "still to do before training: dlogprobs, dprobs");
    check_refused(train({"--functions", "mine.cpp"}), "--functions requires --model exercise");
    check_refused(train({"--threads", "2", "--model", "stepwise"}), "--threads requires --model fused");
    check_refused(train({"--model", "exercise", "--functions", "absent.cpp"}),
                  "absent.cpp: can't be read: No such file");
    CHECK(train({"--threads", "auto", "--model", "stepwise"}).code == 0);
}

TEST_CASE("exercise/kernel.cpp trains as byhand does; a mistake in it changes the training, and is found at its line") {
    need_torch();
    const Folder folder;
    const std::string kernel = source_file("exercise/kernel.cpp");
    folder.write("kernel.cpp", kernel);
    const auto train = [&](const std::string& model) {
        const Arguments own = model == "exercise" ? Arguments{"--functions", "kernel.cpp"} : Arguments{};
        const Arguments all = {"train", "--model", model, "--steps", "30", "--no-save", "--json", "--hidden", "19"};
        return json_of(byhand(folder, all + own))["final"]["train"].get<double>();
    };
    const double ours = train("collapsed");
    CHECK(std::abs(train("exercise") - ours) <= 1e-5 * ours);
    const std::string last = "- load(bnraw + at) * slope";
    REQUIRE(contains(kernel, last));
    folder.write("kernel.cpp", std::string(kernel).replace(kernel.find(last), last.size(), ""));
    CHECK(std::abs(train("exercise") - ours) > 1e-4);
    const Outcome wrong = byhand(folder, {"exercise", "kernel.cpp"});
    const std::vector<std::string> lines = lines_of(kernel);
    const auto defined =
        std::ranges::find_if(lines, [](const std::string& line) { return line.starts_with("void norm_backward("); });
    CHECK(says(wrong, "dhprebn_in_one (kernel.cpp:" + std::to_string(defined - lines.begin() + 1) + ")"));
}

}  // namespace cli_test
