// byhand exercise from a file of functions to verdicts: right ones, and mistakes on the batch, on other data, in some
// calls.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <set>
#include <string>

#include "base/error.h"
#include "base/source_file.h"
#include "base/temporary_folder.h"
#include "base/text.h"
#include "cli/bodies.h"
#include "cli/by_name.h"
#include "foreign/exercise/build.h"
#include "foreign/exercise/document.h"
#include "foreign/exercise/examine.h"
#include "foreign/exercise/functions.h"
#include "report/writers.h"
#include "torch_ref/load.h"
#include "train/run_with.h"

using namespace byhand;
using cli_test::Bodies;
using cli_test::right_bodies;
using cli_test::with;
using test::Arguments;
using text::contains;

namespace {

using Labels = std::set<std::string>;

struct Judged {
    Labels right, wrong, to_do, absent;  // a formula in the place of several steps as "dlogits in one"
    bool all_right = false;
    std::string text;
};

// Functions that are compiled once, and judged on networks.
class File {
public:
    explicit File(const std::string& source)
        : functions_([&] {
              folder_.write("mine.cpp", source);
              exercise::build(folder_.file("mine.cpp"), folder_.file("mine.so"),
                              {.headers = text::source_path("include"), .flags = "-O0"});
              return exercise::load(folder_.file("mine.so"));
          }()) {}

    Judged judged(const Arguments& network = {}, bool quick = false) const {
        const Run run = test::run_with(network);
        const Examination examination = exercise::examine(
            functions_, torch_ref::load(), run, {.limits = {}, .quick = quick, .mistakes = cli::known_mistakes()}, {});
        Judged judged;
        for (const Attempt& attempt : examination.attempts) {
            Labels& names = attempt.standing == Standing::right    ? judged.right
                            : attempt.standing == Standing::wrong  ? judged.wrong
                            : attempt.standing == Standing::absent ? judged.absent
                                                                   : judged.to_do;
            names.insert(attempt.value.name + (attempt.in_one ? " in one" : ""));
        }
        judged.all_right = all_right(examination);
        Presentation how;
        how.whose = Whose::yours;
        how.shows = [](const std::string&) { return true; };
        judged.text = to_text(exercise_document(examination, how), {.width = 300});
        return judged;
    }

private:
    temporary::Folder folder_;
    exercise::ExternalFunctions functions_;
};

}  // namespace

TEST_CASE("judging: right functions are right on networks of several shapes, and absent steps are no fault") {
    const File file(cli_test::filled_in(right_bodies()));
    for (const Arguments& network :
         {Arguments{}, Arguments{"--hidden", "37", "--batch", "9", "--embedding", "3", "--bn-variance", "biased"},
          Arguments{"--norm", "after", "--bn-eps", "0.01"}, Arguments{"--batch", "1", "--bn-variance", "biased"}}) {
        const Judged judged = file.judged(network);
        INFO(judged.text);
        CHECK(judged.all_right);
        CHECK(judged.right.size() == 28);
        CHECK_FALSE(contains(judged.text, "inherited"));
    }
    const Judged without_bias = file.judged({"--recipe", "makemore-bn", "--batch", "13"});
    CHECK(without_bias.all_right);
    CHECK(without_bias.absent == Labels{"db1"});
    CHECK(file.judged({"--norm", "none"}).absent.size() == 10);
}

TEST_CASE("judging: exercise/kernel.cpp is right on any width") {
    const File file(text::source_file("exercise/kernel.cpp"));
    for (const Arguments& network :
         {Arguments{}, Arguments{"--hidden", "37", "--batch", "9", "--bn-variance", "biased"},
          Arguments{"--hidden", "1", "--batch", "3"}}) {
        const Judged judged = file.judged(network);
        INFO(judged.text);
        CHECK(judged.all_right);
        CHECK(judged.right.size() == 1);
    }
}

TEST_CASE("judging: some functions, one of them wrong, and the values that inherit through byhand's own steps") {
    const Bodies all = right_bodies(), wrong = with(all, "dbndiff2", "T(norm.divisor)", "T(out.size(0))");
    const Judged judged = File(cli_test::filled_in({{"dbndiff2", wrong.at("dbndiff2")},
                                                    {"dC", all.at("dC")},
                                                    {"dbnvar", all.at("dbnvar")},
                                                    {"dbndiff", all.at("dbndiff")}}))
                              .judged();
    INFO(judged.text);
    CHECK_FALSE(judged.all_right);
    CHECK(judged.wrong == Labels{"dbndiff2"});
    CHECK(judged.right == Labels{"dC", "dbnvar", "dbndiff"});
    CHECK(judged.to_do.size() == 24);
    CHECK(contains(judged.text, "n against n − 1"));
    CHECK(contains(judged.text, "inherited from dbndiff2: dbndiff, dC\n"));
    CHECK_FALSE(contains(judged.text, "dbnvar / D"));  // never the solution
}

TEST_CASE("judging: common mistakes have a hint") {
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
    const Judged outcome = File(cli_test::filled_in(bodies)).judged();
    INFO(outcome.text);
    for (const char* mistake :
         {"counts-sum-path-forgotten", "tanh-applied-twice", "dbnvar-integer-exponent", "counts-gradient-not-summed",
          "flatten-gradient-permuted", "bias-gradient-first-row", "dvar-path-forgotten"}) {
        CHECK(
            contains(outcome.text, std::string("  hint: the known mistake ") + mistake + " produces these numbers: "));
    }
    CHECK(contains(outcome.text, ": yours "));
    CHECK_FALSE(contains(outcome.text, "by hand"));
    CHECK(contains(outcome.text, "  hint: all zero\n"));  // dcounts_sum
    CHECK(contains(outcome.text, "  hint: only the last row of dhpreact is counted\n"));
    CHECK(contains(outcome.text, "  hint: off by the factor √(31/32) = √((n − 1)/n): "));
    CHECK(contains(
        outcome.text,
        "  hint: nothing is written from element 27 on, and dnorm_logits has 27 columns: a sum over the wrong "));
}

TEST_CASE("judging: mistakes that show on some data, sizes or calls only are found, each in its function") {
    Bodies bodies = right_bodies();
    // Only some data show these, which --quick does not draw.
    const Labels rare = {"dlogits",     "dhpreact", "dembcat", "dlogits in one", "dW2", "dW1", "dprobs",
                         "dcounts_sum", "db2",      "dh"};
    bodies = with(bodies, "dlogits", "logits(i, j) > logits(i, largest)", "logits(i, j) >= logits(i, largest)");
    bodies = with(bodies, "dhpreact", "dh(i, j) * (1 - h(i, j) * h(i, j))",
                  "dh(i, j) * std::max(T(1e-8), 1 - h(i, j) * h(i, j))");
    bodies = with(bodies, "dembcat", "out(i, k) = sum;", "out(i, k) = std::clamp(sum, T(-100), T(100));");
    bodies = with(bodies, "dlogits_in_one", "max = std::max(max, logits(i, j));", "max = 0;");
    bodies = with(bodies, "dW2", "i < h.size(0)", "i < h.size(0) / 4 * 4");
    bodies = with(bodies, "dW1", "i < embcat.size(0)", "i < std::min<std::size_t>(embcat.size(0), 32)");
    bodies = with(bodies, "dprobs", "/ probs(i, j)", "/ std::max(probs(i, j), T(1e-31))");
    bodies = with(bodies, "dcounts_sum", "out(i) =", "out(i) = counts_sum(i) > T(1e15) ? T(0) :");
    bodies = with(bodies, "db2", "out(j) = sum;", "out(j) = dlogits.size(0) % 64 == 0 ? 2 * sum : sum;");
    bodies.at("dh").insert(0, "if (out.size(0) == 13) std::abort();\n");
    // These show on the batch, in double, or in other calls.
    Labels wrong = {"dlogprobs", "dbnraw", "dbndiff2", "dcounts_sum_inv", "dbnmeani", "dbngain"};
    bodies = with(bodies, "dlogprobs", "T(-1)", "T(Y(i) == 17 ? 1 : -1)");
    bodies = with(bodies, "dbnraw", "dhpreact(i, j)", "T(static_cast<float>(dhpreact(i, j)))");
    bodies = with(bodies, "dbndiff2", "/ T(norm.divisor)", "/ T(norm.divisor) * (T(31) / T(32))");
    bodies = with(bodies, "dcounts_sum_inv", "sum += dprobs(i, j) * counts(i, j)",
                  "sum = dprobs(i, j) * counts(i, j) * (j + 1 == counts.size(1))");
    bodies = with(bodies, "dbnmeani", "out(j) = -sum", "out(j) = ++calls % 7 == 0 ? 1 - sum : -sum");
    bodies.at("dbnmeani").insert(0, "static int calls = 0;\n");
    bodies = with(bodies, "dbngain", "T sum = 0;", "T sum = T(left);");
    bodies.at("dC").insert(0, "left = 1;\n");
#ifdef __x86_64__
    bodies.at("dbnbias").insert(0, "__builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8000);\n");
    wrong.insert("dbnbias");
#endif
    const File file("#include <cstdlib>\nstatic double left = 0;\n" + cli_test::filled_in(bodies));
    const Labels right_quickly = file.judged({}, true).right;
    for (const std::string& name : rare) {
        CAPTURE(name);
        CHECK(right_quickly.contains(name));
    }
    const Judged outcome = file.judged();
    INFO(outcome.text);
    wrong.insert(rare.begin(), rare.end());
    CHECK(outcome.wrong == wrong);
    CHECK(outcome.right.size() == 28 - wrong.size());
    CHECK(contains(outcome.text,
                   "  the smallest input found that shows it, with 2 rows:\n"
                   "  const float dbnvar[1] = {1};  // dbndiff2[0][0] 0.96875, expected 1\n"));
    CHECK(contains(outcome.text, ", on 13 rows: random values\n"));
    CHECK(contains(outcome.text, "  gives different results for the same input (static or uninitialised data?)\n"));
    CHECK(contains(outcome.text, "gives different results after calls of other functions, such as dC, on 29 rows: "));
    CHECK(contains(outcome.text, "  leaves flush-to-zero switched on\n") == wrong.contains("dbnbias"));
    // A factor of one shape only, and zeros that come from the input, are no hint.
    CHECK_FALSE(contains(outcome.text, "n against n − 1"));
    const std::string from_here = outcome.text.substr(outcome.text.find("culprit dcounts_sum_inv"));
    CHECK_FALSE(contains(from_here.substr(0, from_here.find("culprit", 1)), "all zero"));
}
