#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cctype>
#include <csignal>
#include <string>

#include "base/parsed_json.h"
#include "cli/exercise_file.h"
#include "cli/program.h"

// byhand exercise, and training with what came of it: the shipped file with bodies filled in by the tests. Then some
// functions only, points for autograders, files for other networks, and checking on every save.

namespace cli_test {

TEST_CASE("exercise: in the shipped file all functions are to do, and the report says what each reads") {
    need_torch();
    const Folder folder;
    const Outcome outcome = byhand(folder, "exercise --verbose", {{"COLUMNS", "300"}});
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
    folder.write("mine.cpp", exchanged(filled_in(right_bodies()), "\"dbnvar\"", "\"dbnvr\""));
    check_refused(exercise(folder), "a function makes dbnvr, which is no step of this network; the nearest is dbnvar");
}

TEST_CASE("exercise: the report of one mistake fits a screen, and its next step names file, network and gradient") {
    need_torch();
    const Folder folder;
    const Environment screen = {{"CXXFLAGS", "-O0"}, {"COLUMNS", "80"}};
    fill_in(folder, with(right_bodies(), "dcounts", " + dcounts_sum(i)", ""));
    const Outcome wrong = byhand(folder, "exercise mine.cpp --batch 29", screen);
    INFO(wrong.out);
    CHECK(wrong.code == 1);
    CHECK(lines_of(wrong.out).size() <= 24);
    CHECK(wrong.out.find("step by step: 25 of 26 right, 1 wrong") < wrong.out.find("culprit: dcounts (mine.cpp:70)"));
    CHECK(says(wrong, "\n  inherited from dcounts: dnorm_logits, dlogit_maxes, dlogits, dh, … (20)\n"));
    CHECK(says(wrong, "yours 0, expected 0."));
    CHECK(says(wrong, "\nnext: fix dcounts (mine.cpp:70) and run the command again"));
    CHECK(says(wrong, "\n  byhand exercise --batch 29 --hint dcounts\n"));
    fill_in(folder, counted_by_int(right_bodies()));
    const Outcome right = succeeds(folder, "exercise mine.cpp --batch 29", screen);
    CHECK(right.err.empty());  // not a warning, whatever the type of a loop variable
    CHECK(says(right, "\n  byhand train --model exercise --functions mine.cpp --batch 29\n"));
}

TEST_CASE("exercise: the report begins with the file that is judged, by default the shipped one") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    const std::string text = folder.read("mine.cpp");
    folder.write("backward.cpp", exchanged(text, "add_all<double>(steps);", ""));
    const Outcome named = succeeds(folder, "exercise backward.cpp --batch 7", fast_build_wide_report());
    CHECK(named.out.starts_with("judged: backward.cpp\n"));
    CHECK(says(named, "26 of 26 right (26 in float only: double is not judged)"));
    const Outcome shipped = byhand(folder, "exercise", fast_build_wide_report());
    CHECK(says(shipped, "exercise/backward.cpp, the default; byhand exercise backward.cpp judges the one in"));
    folder.write("double.cpp", exchanged(text, "add_all<float>(steps);", "steps.add(\"dh\", dh<float>);"));
    check_refused(byhand(folder, "exercise double.cpp", fast_build_wide_report()),
                  "double.cpp: byhand_steps adds dlogprobs in double alone; add it in float as well");
}

TEST_CASE("exercise --hint: three levels, with the formula only in the last") {
    const Folder folder;
    const auto hint = [&](const std::string& asked) { return succeeds(folder, "exercise --hint " + asked).out; };
    CHECK(contains(hint("dbnvar"), "reads dbnvar_inv, bnvar\n"));
    CHECK_FALSE(contains(hint("dbnvar"), "rule"));
    CHECK(contains(hint("dbnvar:2"), "the rule: "));
    CHECK_FALSE(contains(hint("dbnvar:2"), "the formula"));
    CHECK(contains(hint("dlogits_in_one:3"), "the formula: "));
    CHECK(contains(hint("dbnvar:3"), "the formula: dbnvar = −½·(bnvar + ε)^(−3/2)·dbnvar_inv"));
    check_refused(folder, {{"exercise --hint dbnvr", "the nearest is dbnvar"},
                           {"exercise --hint dbnvar:4", "--hint: expected a gradient's name"},
                           {"exercise --hint dbnvar_in_one", "there is no gradient dbnvar_in_one"},
                           {"exercise --hint bnvar", "the nearest is dbnvar"}});
}

TEST_CASE("exercise: every gradient of the shipped file has its place in the docs") {
    std::string docs = source_file("docs/backprop.md");
    std::ranges::transform(docs, docs.begin(),
                           [](unsigned char c) { return static_cast<char>(c == ' ' ? '-' : std::tolower(c)); });
    std::size_t places = 0;
    for (const std::string& line : lines_of(source_file("exercise/backward.cpp"))) {
        const std::size_t at = line.find("docs/backprop.md#");
        if (at != std::string::npos) {
            CAPTURE(line);
            CHECK(contains(docs, "\n###-" + line.substr(at + 17) + "\n"));
            ++places;
        }
    }
    CHECK(places == 28);
}

TEST_CASE("train --model exercise: own gradients train as byhand's do, and are refused while some are to do") {
    const Folder folder;
    const auto train = [&](const Arguments& more) {
        return byhand(folder, "train --steps 30 --no-save --json --hidden 19" + more);
    };
    fill_in(folder, right_bodies());
    const Outcome trained = train("--model exercise --functions mine.cpp");
    const Json own = json_of(trained);
    CHECK(contains(trained.err, "dlogits_in_one is left out: the functions of the small steps are used\n"));
    CHECK_FALSE(contains(trained.err, "warning"));
    const Json ours = json_of(train("--model stepwise"));
    CHECK(own["model"].get<std::string>() == "exercise");
    for (const char* part : {"train", "val", "test"}) {
        const double theirs = own["final"][part].get<double>(), right = ours["final"][part].get<double>();
        CHECK(std::abs(theirs - right) <= 1e-5 * right);
    }
    // Theirs is what trains: with a wrong gradient it comes out elsewhere.
    fill_in(folder, with(right_bodies(), "dW1", "embcat(i, k)", "2 * embcat(i, k)"));
    const Outcome trained_wrongly = train("--model exercise --functions mine.cpp");
    const Json wrong = json_of(trained_wrongly);
    CHECK(contains(trained_wrongly.err,
                   "warning: dW1 is wrong, and training goes on with it; byhand exercise "
                   "mine.cpp says what is\n") == with_torch());
    CHECK(std::abs(wrong["final"]["train"].get<double>() - ours["final"]["train"].get<double>()) > 1e-4);

    const auto refused = [&](const Bodies& bodies, const std::string& what) {
        fill_in(folder, bodies);
        check_refused(train("--model exercise --functions mine.cpp"), what);
    };
    Bodies most = right_bodies();
    most.erase("dh");
    most.erase("dhprebn_in_one");
    refused(most, "still to do before training: dh;");
    refused(with(right_bodies(), "dh", "W2(k, j)", "W2(j, k)"), "dh reads W2(19, 0), out of bounds: W2 is 19 × 27;");
    check_refused(train("--model exercise"), "still to do before training: dlogprobs, dprobs");
    check_refused(train("--functions mine.cpp"), "--functions requires --model exercise");
    check_refused(train("--threads 2 --model stepwise"), "--threads requires --model fused");
    check_refused(train("--model exercise --functions absent.cpp"), "absent.cpp: can't be read: No such file");
    CHECK(train("--threads auto --model stepwise").code == 0);
}

TEST_CASE("exercise/kernel.cpp trains as byhand does; a mistake in it changes the training, and is found at its line") {
    need_torch();
    const Folder folder;
    const std::string kernel = source_file("exercise/kernel.cpp");
    folder.write("kernel.cpp", kernel);
    const auto train = [&](const std::string& model) {
        const Outcome outcome = byhand(folder, "train --steps 30 --no-save --json --hidden 19 --model " + model);
        return json_of(outcome)["final"]["train"].get<double>();
    };
    const std::string own = "exercise --functions kernel.cpp";
    const double ours = train("collapsed");
    CHECK(std::abs(train(own) - ours) <= 1e-5 * ours);
    folder.write("kernel.cpp", exchanged(kernel, "- load(bnraw + at) * slope", ""));
    CHECK(std::abs(train(own) - ours) > 1e-4);
    const Outcome wrong = byhand(folder, "exercise kernel.cpp");
    const std::size_t line = 1 + times(kernel.substr(0, kernel.find("\nvoid norm_backward(") + 1), "\n");
    CHECK(says(wrong, "dhprebn_in_one (kernel.cpp:" + std::to_string(line) + ")"));
}

TEST_CASE("exercise --only: the functions of these names, and no others") {
    need_torch();
    const Folder folder;
    fill_in(folder, with(right_bodies(), "dbnvar", "T(-0.5)", "T(0.5)"));
    const Outcome right = exercise(folder, "--only dh,dlogits_in_one");
    INFO(right.out << right.err);
    CHECK(right.code == 0);
    CHECK(those_that_are("right", right) == Names{"dh", "dlogits in one"});
    CHECK(says(right, "next: check all functions:\n  byhand exercise mine.cpp\n"));
    const Outcome wrong = byhand(folder, "exercise --only dbnvar mine.cpp", fast_build_wide_report());
    CHECK(wrong.code == 1);
    CHECK(says(wrong, "step by step: 0 of 1 right, 1 wrong"));
    check_refused(byhand(folder, "exercise mine.cpp --only dbnvr", fast_build_wide_report()),
                  "no function makes dbnvr; the nearest is dbnvar");
}

TEST_CASE("exercise --points: a point for each right function") {
    need_torch();
    const Folder folder;
    Bodies bodies = with(right_bodies(), "dbnvar", "T(-0.5)", "T(0.5)");
    bodies.erase("dh");
    fill_in(folder, bodies);
    const Outcome outcome = byhand(folder, "exercise mine.cpp --points", fast_build_wide_report());
    CHECK(outcome.code == 1);
    const Json points = parsed_json(outcome.out);
    CHECK(points["score"] == 26);
    CHECK(points["tests"].size() == 28);
    for (const Json& test : points["tests"]) {
        const auto name = test["name"].get<std::string>();
        CAPTURE(name);
        CHECK(test["score"] == (name != "dbnvar" && name != "dh" ? 1 : 0));
        CHECK(test["max_score"] == 1);
        CHECK(test["output"].get<std::string>().starts_with(name == "dh" ? "to do: reads dlogits, W2"
                                                            : name == "dbnvar"
                                                                ? "wrong: the negative of the right answer"
                                                                : "right"));
    }
    check_refused(byhand(folder, "exercise mine.cpp --points --json"), "--points can't be combined with --json");
}

TEST_CASE("exercise --new: a file for another network, which compiles, and whose functions are found") {
    need_torch();
    const Folder folder;
    const Arguments network = "--recipe mlp-relu-layernorm --batch 7";
    const Outcome written = succeeds(folder, "exercise --new mine.cpp" + network);
    CHECK(says(written, "  byhand exercise mine.cpp --recipe mlp-relu-layernorm --batch 7\n"));
    check_refused(byhand(folder, "exercise --new mine.cpp" + network), "mine.cpp is there already");

    const std::string text = folder.read("mine.cpp");
    CHECK(contains(text, "// dh.1 (7, 100) from dhpreln.2 (7, 60), W2 (100, 60)\n"));
    CHECK(contains(text, "\n//   h.1 is read by hpreln.2: y[i, j] = Σ_k x[i, k]·W[k, j]"));
    CHECK(contains(
        text, "void dlnvar_2(Tensor<T> out, Tensor<const T> dlnvar_inv_2, Tensor<const T> lnvar_2, Norm norm) {}"));
    CHECK(contains(text, "void dC(Tensor<T> out, Tensor<const T> demb, Indices X) {}"));
    const Outcome empty = exercise(folder, network);
    INFO(empty.out << empty.err);
    CHECK(empty.code == 1);
    CHECK(says(empty, "step by step: 0 of "));
    CHECK_FALSE(says(empty, "wrong"));

    const std::string stub = "void dhpreact_1(Tensor<T> out, Tensor<const T> dh_1, Tensor<const T> h_1) {}";
    folder.write("mine.cpp",
                 exchanged(text, stub,
                           stub.substr(0, stub.size() - 1) + "\n    for (int i = 0; i < out.count(); ++i) { " +
                               "out.data()[i] = h_1.data()[i] > 0 ? 2 * dh_1.data()[i] : 0; }\n}"));
    const Outcome wrong = exercise(folder, network);
    INFO(wrong.out);
    const std::size_t line = 1 + times(text.substr(0, text.find(stub)), "\n");
    CHECK(says(wrong, "culprit: dhpreact.1 (mine.cpp:" + std::to_string(line) + ")"));
}

TEST_CASE("exercise --watch: checks again when the file is saved, and ends by a signal") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    Process watching(folder, byhand_program(), "exercise mine.cpp --watch --quick --only dh", fast_build_wide_report());
    const std::string waiting = "waiting for mine.cpp to be saved; Ctrl-C ends\n";
    CHECK(watching.says(waiting));
    fill_in(folder, with(right_bodies(), "dh", "W2(k, j)", "W2(j, k)"));
    CHECK(waits_until([&] { return times(watching.err(), waiting) == 2; }));
    watching.signal(SIGINT);
    const Outcome outcome = watching.wait();
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 130);
    const std::size_t first = outcome.out.find("1 of 1 right");
    CHECK(first != std::string::npos);
    CHECK(outcome.out.find("0 of 1 right, 1 wrong", first) != std::string::npos);
}

}  // namespace cli_test
