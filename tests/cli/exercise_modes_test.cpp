#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include "cli/exercise_file.h"
#include "cli/program.h"

// byhand exercise: some functions only, points for autograders, files for other networks, and checking on every save.

namespace cli_test {

TEST_CASE("exercise --only: the functions of these names, and no others") {
    need_torch();
    const Folder folder;
    fill_in(folder, with(right_bodies(), "dbnvar", "T(-0.5)", "T(0.5)"));
    const Outcome right = exercise(folder, {"--only", "dh,dlogits_in_one"});
    INFO(right.out << right.err);
    CHECK(right.code == 0);
    CHECK(those_that_are("right", right) == Names{"dh", "dlogits in one"});
    CHECK(says(right, "next: check all functions:\n  byhand exercise mine.cpp\n"));
    const Outcome wrong = byhand(folder, {"exercise", "--only", "dbnvar", "mine.cpp"}, fast_build_wide_report());
    CHECK(wrong.code == 1);
    CHECK(says(wrong, "step by step: 0 of 1 right, 1 wrong"));
    check_refused(byhand(folder, {"exercise", "mine.cpp", "--only", "dbnvr"}, fast_build_wide_report()),
                  "no function makes dbnvr; the nearest is dbnvar");
}

TEST_CASE("exercise --points: a point for each right function") {
    need_torch();
    const Folder folder;
    Bodies bodies = with(right_bodies(), "dbnvar", "T(-0.5)", "T(0.5)");
    bodies.erase("dh");
    fill_in(folder, bodies);
    const Outcome outcome = byhand(folder, {"exercise", "mine.cpp", "--points"}, fast_build_wide_report());
    CHECK(outcome.code == 1);
    const Json points = parsed_json(outcome.out);
    CHECK(points["score"] == 26);
    CHECK(points["tests"].size() == 28);
    std::size_t seen = 0;
    for (const Json& test : points["tests"]) {
        const auto name = test["name"].get<std::string>();
        CAPTURE(name);
        const bool right = name != "dbnvar" && name != "dh";
        seen += right ? 0 : 1;
        CHECK(test["score"] == (right ? 1 : 0));
        CHECK(test["max_score"] == 1);
        CHECK(test["output"].get<std::string>().starts_with(right ? "right"
                                                            : name == "dh"
                                                                ? "to do: reads dlogits, W2"
                                                                : "wrong: the negative of the right answer"));
    }
    CHECK(seen == 2);
    check_refused(byhand(folder, {"exercise", "mine.cpp", "--points", "--json"}),
                  "--points can't be combined with --json");
}

TEST_CASE("exercise --new: a file for another network, which compiles, and whose functions are found") {
    need_torch();
    const Folder folder;
    const Arguments network = {"--recipe", "mlp-relu-layernorm", "--batch", "7"};
    const Outcome written = byhand(folder, Arguments{"exercise", "--new", "mine.cpp"} + network);
    INFO(written.out << written.err);
    CHECK(written.code == 0);
    CHECK(says(written, "  byhand exercise mine.cpp --recipe mlp-relu-layernorm --batch 7\n"));
    check_refused(byhand(folder, Arguments{"exercise", "--new", "mine.cpp"} + network), "mine.cpp is there already");

    std::string text = folder.read("mine.cpp");
    CHECK(contains(text, "// dh.1 (7, 100) from dhpreln.2 (7, 60), W2 (100, 60)\n"));
    CHECK(contains(text, "\n//   h.1 is read by hpreln.2: y[i, j] = Σ_k x[i, k]·W[k, j]"));
    CHECK(contains(
        text, "void dlnvar_2(Tensor<T> out, Tensor<const T> dlnvar_inv_2, Tensor<const T> lnvar_2, Norm norm) {}"));
    CHECK(contains(text, "void dC(Tensor<T> out, Tensor<const T> demb, Indices X) {}"));
    const Outcome empty = exercise(folder, network);
    INFO(empty.out << empty.err);
    CHECK(empty.code == 1);
    CHECK(says(empty, "step by step: 0 of "));
    CHECK(says(empty, " to do"));
    CHECK_FALSE(says(empty, "wrong"));

    const std::string stub = "void dhpreact_1(Tensor<T> out, Tensor<const T> dh_1, Tensor<const T> h_1) {}";
    const std::size_t at = text.find(stub);
    REQUIRE(at != std::string::npos);
    const auto with_body = [&](const std::string& right) {
        return text.substr(0, at) + stub.substr(0, stub.size() - 1) + "\n    for (int i = 0; i < out.count(); ++i) { " +
               "out.data()[i] = h_1.data()[i] > 0 ? " + right + " : 0; }\n}" + text.substr(at + stub.size());
    };
    folder.write("mine.cpp", with_body("dh_1.data()[i]"));
    const Outcome one = exercise(folder, network);
    INFO(one.out);
    CHECK(says(one, "step by step: 1 of "));
    folder.write("mine.cpp", with_body("2 * dh_1.data()[i]"));
    const Outcome wrong = exercise(folder, network);
    INFO(wrong.out);
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    CHECK(says(wrong, "culprit: dhpreact.1 (mine.cpp:" + std::to_string(line) + ")"));
}

TEST_CASE("exercise --watch: checks again when the file is saved, and ends by a signal") {
    need_torch();
    const Folder folder;
    fill_in(folder, right_bodies());
    Process watching(folder, byhand_program(), {"exercise", "mine.cpp", "--watch", "--quick", "--only", "dh"},
                     fast_build_wide_report());
    CHECK(watching.says("waiting for mine.cpp to be saved; Ctrl-C ends\n"));
    fill_in(folder, with(right_bodies(), "dh", "W2(k, j)", "W2(j, k)"));
    const std::string waiting = "waiting for mine.cpp to be saved; Ctrl-C ends\n";
    const auto twice = [&] {
        const std::string err = watching.err();
        const std::size_t first = err.find(waiting);
        return first != std::string::npos && err.find(waiting, first + 1) != std::string::npos;
    };
    for (int i = 0; i < 600 && !twice(); ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    CHECK(twice());
    watching.signal(SIGINT);
    const Outcome outcome = watching.wait();
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 130);
    const std::size_t first = outcome.out.find("1 of 1 right");
    CHECK(first != std::string::npos);
    CHECK(outcome.out.find("0 of 1 right, 1 wrong", first) != std::string::npos);
}

}  // namespace cli_test
