#include <catch2/catch_test_macros.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/exercise_file.h"
#include "cli/program.h"

// byhand exercise: mistakes that show only on some data, at some sizes or in some calls.

namespace cli_test {
namespace {

constexpr const char* kLargest =
    "            if (logits(i, j) > logits(i, largest)) {\n                largest = j;\n            }\n";

// dlogits, with `rule` for how the maximum's gradient goes to the elements of row i.
Bodies with_maximum(const Bodies& bodies, const std::string& rule) {
    return with(with(bodies, "dlogits", kLargest, ""), "dlogits", "out(i, largest) += dlogit_maxes(i);",
                "static_cast<void>(largest);\n" + rule);
}

Bodies with_tanh_derivative(const Bodies& bodies, const std::string& derivative) {
    return with(bodies, "dhpreact", "dh(i, j) * (1 - h(i, j) * h(i, j))", "dh(i, j) * " + derivative);
}

// Judges them, wholly and with --quick, which draws nothing that shows the others.
void check_found(const Bodies& bodies, const Names& wrong, const Names& wrong_with_quick = {}) {
    const Folder folder;
    fill_in(folder, bodies);
    const Outcome quick = exercise(folder, {"--quick"});
    INFO(quick.out << quick.err);
    CHECK(those_that_are("wrong", quick) == wrong_with_quick);
    const Outcome outcome = exercise(folder);
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(those_that_are("wrong", outcome) == wrong);
    CHECK(those_that_are("right", outcome).size() == 28 - wrong.size());
}

}  // namespace

TEST_CASE("exercise: a rare class, negative logits, saturated units, large values and other sizes show mistakes") {
    need_torch();
    Bodies bodies = right_bodies();
    bodies = with(bodies, "dlogprobs", "T(-1)", "T(Y(i) == 17 ? 1 : -1)");
    bodies = with_maximum(bodies,
                          "T most = 0;\n"
                          "for (std::size_t j = 0; j < out.size(1); ++j) {\n"
                          "    if (logits(i, j) > most) { most = logits(i, j); largest = j; }\n"
                          "}\n"
                          "out(i, largest) += dlogit_maxes(i);");
    bodies = with_tanh_derivative(bodies, "(std::abs(h(i, j)) > T(0.999999) ? T(0) : 1 - h(i, j) * h(i, j))");
    bodies = with(bodies, "dembcat", "out(i, k) = sum;", "out(i, k) = std::clamp(sum, T(-100), T(100));");
    bodies = with(bodies, "dlogits_in_one", "max = std::max(max, logits(i, j));", "max = 0;");
    bodies = with(bodies, "dW2", "i < h.size(0)", "i < h.size(0) / 4 * 4");
    bodies = with(bodies, "dW1", "i < embcat.size(0)", "i < std::min<std::size_t>(embcat.size(0), 32)");
    check_found(bodies, {"dlogprobs", "dlogits", "dhpreact", "dembcat", "dlogits in one", "dW2", "dW1"}, {"dlogprobs"});
}

TEST_CASE("exercise: the last of equal maxima, and a derivative held above 1e-6, are found") {
    need_torch();
    Bodies bodies = right_bodies();
    bodies = with(bodies, "dlogits", "logits(i, j) > logits(i, largest)", "logits(i, j) >= logits(i, largest)");
    bodies = with_tanh_derivative(bodies, "std::max(T(1e-6), 1 - h(i, j) * h(i, j))");
    check_found(bodies, {"dlogits", "dhpreact"});
}

TEST_CASE("exercise: a maximum's gradient shared among equal ones, and a derivative held above 1e-8, are found") {
    need_torch();
    Bodies bodies = with_maximum(right_bodies(),
                                 "T most = logits(i, 0), equal = 0;\n"
                                 "for (std::size_t j = 0; j < out.size(1); ++j) most = std::max(most, logits(i, j));\n"
                                 "for (std::size_t j = 0; j < out.size(1); ++j) equal += logits(i, j) == most;\n"
                                 "for (std::size_t j = 0; j < out.size(1); ++j) {\n"
                                 "    if (logits(i, j) == most) { out(i, j) += dlogit_maxes(i) / equal; }\n"
                                 "}");
    bodies = with_tanh_derivative(bodies, "std::max(T(1e-8), 1 - h(i, j) * h(i, j))");
    check_found(bodies, {"dlogits", "dhpreact"});
}

TEST_CASE("exercise: a function that counts its calls, and one that leaves flush-to-zero switched on, are named") {
    need_torch();
    const Folder folder;
    Bodies bodies = with(right_bodies(), "db2", "out(j) = sum;", "out(j) = calls % 7 == 0 ? 2 * sum : sum;");
    bodies.at("db2").insert(0, "static int calls = 0;\n++calls;\n");
    Names wrong = {"db2"};
#ifdef __x86_64__
    bodies.at("dbnbias").insert(0, "__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8000);\n");
    wrong.insert("dbnbias");
#endif
    fill_in(folder, bodies);
    const Outcome outcome = exercise(folder);
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(those_that_are("wrong", outcome) == wrong);
    CHECK(those_that_are("right", outcome).size() == 28 - wrong.size());
    CHECK(says(outcome, "  gives different results for the same input (static or uninitialised data?)\n"));
#ifdef __x86_64__
    CHECK(says(outcome, "  leaves flush-to-zero switched on\n"));
#endif
}

TEST_CASE("exercise: thresholds far out, multiples of 16, and a double's digits dropped are found") {
    need_torch();
    Bodies bodies = right_bodies();
    bodies = with(bodies, "dprobs", "/ probs(i, j)", "/ std::max(probs(i, j), T(1e-31))");
    bodies = with(bodies, "dcounts_sum", "out(i) =", "out(i) = counts_sum(i) > T(1e15) ? T(0) :");
    bodies = with(bodies, "dbnraw", "dhpreact(i, j)", "T(static_cast<float>(dhpreact(i, j)))");
    bodies = with(bodies, "dW2", "out(k, j) = sum;", "out(k, j) = out.size(0) % 16 == 0 ? 2 * sum : sum;");
    bodies = with(bodies, "db2", "out(j) = sum;", "out(j) = dlogits.size(0) % 64 == 0 ? 2 * sum : sum;");
    check_found(bodies, {"dprobs", "dcounts_sum", "dbnraw", "dW2", "db2"}, {"dbnraw"});
}

TEST_CASE("exercise: a function is named whose numbers depend on what another left in memory that they share") {
    need_torch();
    const Folder folder;
    Bodies bodies = with(right_bodies(), "dbngain", "T sum = 0;", "T sum = T(left);");
    bodies.at("dC").insert(0, "left = 1;\n");
    fill_in(folder, bodies);
    folder.write("mine.cpp", "static double left = 0;\n" + folder.read("mine.cpp"));
    const Outcome outcome = exercise(folder);
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(those_that_are("wrong", outcome) == Names{"dbngain"});
    CHECK(says(outcome, "gives different results after calls of other functions, such as dC, on 29 rows: "));
}

TEST_CASE("exercise: what crashes or does not return on some data has a small input that shows it") {
    need_torch();
    const Folder folder;
    Bodies bodies = right_bodies();
    bodies.at("dh").insert(0, "if (out.size(0) == 13) std::abort();\n");
    bodies.at("dhpreact")
        .insert(0,
                "for (std::size_t i = 0; i < h.size(0); ++i) {\n"
                "    volatile T first = h(i, 0);\n"
                "    while (first == 1) {}\n"
                "}\n");
    fill_in(folder, bodies);
    folder.write("mine.cpp", "#include <cstdlib>\n" + folder.read("mine.cpp"));
    const Outcome outcome = exercise(folder, {"--timeout", "3"});
    INFO(outcome.out << outcome.err);
    CHECK(outcome.code == 1);
    CHECK(those_that_are("wrong", outcome) == Names{"dh", "dhpreact"});
    CHECK(says(outcome, ", on 13 rows: random values\n"));
    CHECK_FALSE(says(outcome, "with 13 rows:\n"));  // that is not small
    CHECK(says(outcome, "  const float h[1][1] = {{1}};\n  // does not return within 250 ms; --timeout allows more\n"));
}

}  // namespace cli_test
