// compare --mine: the examples as one uses them, and what is said of right and wrong values.
#include "cli/external.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/parsed_json.h"
#include "cli/exercise_file.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

const Arguments kMakemore = {"--recipe", "makemore-bn"};

// The example with one line exchanged for another, which it must have once.
std::string exchanged(const std::string& example, const std::string& line, const std::string& other) {
    std::string text = source_file("examples/" + example);
    const std::size_t at = text.find(line);
    REQUIRE(at != std::string::npos);
    REQUIRE(text.find(line, at + 1) == std::string::npos);
    return text.replace(at, line.size(), other);
}

void check_culprit(const Folder& folder, const std::string& name) {
    const Judged all = judged(folder, {});
    CHECK(all.code == 1);
    CHECK(all.report["verdict"] == "disagree");
    CHECK(all.culprits() == Names{name});
    CHECK(all.report["first_divergence"] == name);
}

// Compiles C++ to the program "mine-program".
void compile(const Folder& folder, const std::string& source) {
    if (::access(BYHAND_CXX, X_OK) != 0) {
        SKIP("the compiler that built this is not here: " BYHAND_CXX);
    }
    const Outcome outcome = run(folder, BYHAND_CXX, {"-std=c++20", "-O1", source, "-o", "mine-program"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
}

void run_program(const Folder& folder) {
    const Outcome outcome = run(folder, folder.file("mine-program"), {"dump.safetensors", "mine"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
}

}  // namespace

TEST_CASE("compare --mine: examples/mine.py agrees, in two recipes and in odd sizes") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    for (const Arguments& network : {kNotes, kMakemore, kOdd}) {
        dump(folder, network);
        run_python(folder, std::string(BYHAND_SOURCES) + "/examples/mine.py");
        check_agreement(folder, network);
        const auto isolated = judged(folder, network).report["steps"][0]["alone"];
        CHECK(isolated.size() >= 25);  // every gradient was judged by the other values
        for (const Json& step : isolated) {
            CAPTURE(step);
            CHECK((step["verdict"] == "exact" || step["verdict"] == "within" || step["verdict"] == "vacuous"));
            CHECK(step["probe"]["verdict"] == "not-given");
        }
    }
}

TEST_CASE("compare --mine: examples/mine.cpp agrees, in two recipes and in odd sizes") {
    need_torch();
    const Folder folder;
    compile(folder, std::string(BYHAND_SOURCES) + "/examples/mine.cpp");
    for (const Arguments& network : {kNotes, kMakemore, kOdd}) {
        dump(folder, network);
        run_program(folder);
        check_agreement(folder, network);
    }
}

TEST_CASE("compare --mine: one wrong line of mine.py is found, and nothing else is blamed") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    dump(folder, kNotes);
    struct Line {
        std::string culprit, right, wrong;
    };
    const std::vector<Line> lines = {
        {"", "dW2 = h.T @ dlogits", "dW2 = (dlogits.T @ h).T"},  // the same product, transposed twice
        {"dbnvar", "dbnvar = -0.5 *", "dbnvar = 0.5 *"},
        {"dlogprobs", "np.float32(-1 / n)", "np.float32(-1)"},
        {"dlogits", "dlogits = dnorm_logits + ", "dlogits = n * dnorm_logits + "},
        {"dC", "dC = one_hot(X.ravel(), V).T @ demb.reshape(n * T, E)",
         "dC = np.zeros((V, E), np.float32); dC[X.ravel()] = demb.reshape(n * T, E)"},
        {"dhprebn", "dhprebn = dbndiff + dbnmeani / n", "dhprebn = dbndiff"},
        {"db2", "db2 = dlogits.sum(0)", "db2 = dlogits.mean(0)"},
        {"dbndiff", "dbndiff = bnvar_inv * dbnraw + 2 * bndiff * dbndiff2", "dbndiff = bnvar_inv * dbnraw"},
        {"dbndiff2", "(dbnvar / D)", "(dbnvar / n)"},
        {"dW1", "dW1 = embcat.T @ dhprebn", "dW1 = embcat[:-1].T @ dhprebn[:-1]"},
        {"dlogit_maxes", "dlogit_maxes = -dnorm_logits.sum(1)", "dlogit_maxes = -dcounts.sum(1)"},
        {"dlogit_maxes", "dlogit_maxes = -dnorm_logits.sum(1)", "dlogit_maxes = -dnorm_logits[:, 1:].sum(1)"},
        {"db1", "db1 = dhprebn.sum(0)", "db1 = dhpreact.sum(0)"},
    };
    for (const auto& [culprit, right, wrong] : lines) {
        CAPTURE(wrong);
        folder.write("spoiled.py", exchanged("mine.py", right, wrong));
        run_python(folder, "spoiled.py");
        if (culprit.empty()) {
            check_agreement(folder, kNotes);
        } else {
            check_culprit(folder, culprit);
        }
    }
}

TEST_CASE("compare --mine: gradients computed in double from the dump's floats agree, and a wrong one is found") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    const std::string widened = "tensor = tensor.astype(np.float64); read_here[name] = tensor\n";
    struct Line {
        std::string culprit, wrong;
    };
    for (const Arguments& network : {kNotes, kOdd}) {
        dump(folder, network);
        for (const auto& [culprit, wrong] : {Line{"", "dW2 = h.T @ dlogits"}, {"dW2", "dW2 = h[1:].T @ dlogits[1:]"}}) {
            std::string script = exchanged("mine.py", "read_here[name] = tensor\n", widened);
            for (const auto& [right, other] : std::vector<std::pair<std::string, std::string>>{
                     {"if path.endswith(\".npz\"):\n        np.savez",
                      "with open(path, \"wb\") as path:\n        np.savez"},
                     {"np.float32(-1 / n), np.float32(0)", "-1 / n, 0.0"},
                     {"dW2 = h.T @ dlogits", wrong}}) {
                script.replace(script.find(right), right.size(), other);
            }
            folder.write("double.py", script);
            run_python(folder, "double.py");
            const Judged all = judged(folder, network);
            CHECK(all.code == (culprit.empty() ? 0 : 1));
            CHECK(all.culprits() == (culprit.empty() ? Names{} : Names{culprit}));
            CHECK(all.report["steps"][0]["alone"].size() >= 36);
            const std::string said = byhand(folder, Arguments{"compare", "--mine", "mine"} + network).out;
            CHECK((said.find("  hint: the first row of ") != std::string::npos) == !culprit.empty());
        }
    }
}

TEST_CASE("compare --mine: a gradient made in small steps that are not given is judged by the norm's one formula") {
    need_torch();
    const Folder folder;
    const Arguments network = {"--recipe", "makemore-deep", "--batch", "16"};
    dump(folder, network);
    const auto torch = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    std::map<std::string, StoredTensor> some;
    for (const std::string name : {"dhprebn", "dhpreact", "dbngain", "dbnbias", "bnraw", "bnvar_inv"}) {
        some[name + ".3"] = torch.at(name + ".3");
    }
    write_stored(folder.file("mine"), some);
    check_agreement(folder, network);
    std::vector<float> numbers = torch.at("dhprebn.3").floats();
    std::ranges::for_each(numbers, [](float& number) { number *= 1 + 1e-4F; });
    some["dhprebn.3"] = stored("F32", torch.at("dhprebn.3").shape, numbers);
    write_stored(folder.file("mine"), some);
    CHECK(judged(folder, network).culprits() == Names{"dhprebn.3"});
}

TEST_CASE("compare --mine: right lines by equivalent formulas agree, where no divisor is a power of two") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    dump(folder, kOdd);
    const std::string softmax = "np.exp(logits - logits.max(1, keepdims=True))";
    const std::vector<std::pair<std::string, std::string>> lines = {
        // As the makemore lectures write them.
        {"dprobs = dlogprobs / probs", "dprobs = (np.float32(1) / probs) * dlogprobs"},
        {"dbndiff2 = np.ones_like(bndiff) * (dbnvar / D)",
         "dbndiff2 = np.float32(1 / D) * np.ones_like(bndiff) * dbnvar"},
        {"dhprebn = dbndiff + dbnmeani / n",
         "dhprebn = dbndiff + np.float32(1 / n) * (np.ones_like(bndiff) * dbnmeani)"},
        // And otherwise.
        {"dbnvar = -0.5 * (bnvar + eps) ** -1.5 * dbnvar_inv", "dbnvar = -0.5 * bnvar_inv ** 3 * dbnvar_inv"},
        {"dcounts_sum = -counts_sum ** -2 * dcounts_sum_inv",
         "dcounts_sum = -(counts_sum_inv * counts_sum_inv) * dcounts_sum_inv"},
        {"dcounts = counts_sum_inv[:, None] * dprobs + dcounts_sum[:, None]",
         "dcounts = dprobs / counts_sum[:, None] + dcounts_sum[:, None]"},
        {"dnorm_logits = counts * dcounts", "dnorm_logits = " + softmax + " * dcounts"},
        {"dhpreact = (1 - h * h) * dh", "dhpreact = (1 - h) * (1 + h) * dh"},
        {"dhpreact = (1 - h * h) * dh", "dhpreact = dh - h * h * dh"},
        {"dbngain = (dhpreact * bnraw).sum(0)", "dbngain = (dhpreact * bndiff).sum(0) * bnvar_inv"},
    };
    for (const auto& [line, other] : lines) {
        CAPTURE(other);
        folder.write("other.py", exchanged("mine.py", line, other));
        run_python(folder, "other.py");
        check_agreement(folder, kOdd);
    }
}

TEST_CASE("compare --mine: one wrong line of mine.cpp is found, though it gives no forward values") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    struct Line {
        std::string culprit, right, wrong;
    };
    const std::vector<Line> lines = {
        {"dcounts", "counts_sum_inv[i] * dprobs[i * V + j] + dcounts_sum[i]", "counts_sum_inv[i] * dprobs[i * V + j]"},
        {"dC", "dC[X[i] * E + e] += ", "dC[X[i] * E + e] = "},
    };
    for (const auto& [culprit, right, wrong] : lines) {
        CAPTURE(wrong);
        folder.write("spoiled.cpp", exchanged("mine.cpp", right, wrong));
        compile(folder, "spoiled.cpp");
        run_program(folder);
        check_culprit(folder, culprit);
    }
}

TEST_CASE("compare --mine: what is not given is not-given, a line in the table, and no disagreement") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    const auto torch = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    write_stored(folder.file("mine"), {{"dW2", torch.at("dW2")}, {"dlogits", torch.at("dlogits")}});
    const Judged all = judged(folder, {});
    CHECK(all.code == 0);
    const auto verdicts = all.verdicts();
    CHECK(verdicts.size() == torch.size());
    for (const auto& [name, verdict] : verdicts) {
        CAPTURE(name);
        CHECK((verdict == "not-given") == (name != "dW2" && name != "dlogits"));
    }
    CHECK(verdicts.at("dW2") == "exact");
    CHECK(all.report["steps"][0]["loss"]["manual"].is_null());
    CHECK(all.report["steps"][0]["loss"]["torch"].is_number());
    std::map<std::string, Names> reads;
    for (const Json& step : all.report["steps"][0]["alone"]) {
        CHECK(step["wrong"] == false);
        reads[step["name"].get<std::string>()] = step["reads"].get<Names>();
    }
    CHECK(reads == std::map<std::string, Names>{{"dW2", {"dlogits", "h"}}, {"dlogits", {"Y", "logits"}}});

    const Outcome table = byhand(folder, {"compare", "--mine", "mine"});
    CHECK(table.code == 0);
    CHECK(table.err.empty());
    std::size_t lines = 0;
    for (const std::string& line : lines_of(table.out)) {
        if (line.find("not given") != std::string::npos || line.find("not-given") != std::string::npos) {
            ++lines;
            CHECK(line ==
                  "not given: " + std::to_string(torch.size() - 2) + " values (byhand explain lists the names)");
        }
    }
    CHECK(lines == 1);
    CHECK(table.out.find("\nstep 0: loss 3.2") != std::string::npos);
    CHECK(table.out.find("by hand, ") == std::string::npos);
    // --tensor shows no more of them than of the others.
    const Outcome some = byhand(folder, {"compare", "--mine", "mine", "--tensor", "dW?"});
    CHECK(some.out.find("\nnot given: dW1\n") != std::string::npos);
    const Outcome junit = byhand(folder, {"compare", "--mine", "mine", "--format", "junit"});
    CHECK(junit.code == 0);
    CHECK(junit.out.find("<skipped message=\"not-given: dC\"/>") != std::string::npos);
    CHECK(junit.out.find("on random values") == std::string::npos);
}

TEST_CASE(
    "compare --mine: a wrong gradient that nothing leads to is disagreement, and the command to see it again is "
    "right") {
    need_torch();
    const Folder folder;
    dump(folder, kOdd + Arguments{"--steps", "3"});
    const auto torch = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    std::vector<float> numbers = torch.at("dC").floats();
    numbers[4] += 0.01F;
    write_stored(folder.file("mine"), {{"dC", stored("F32", torch.at("dC").shape, numbers)}});
    const Outcome outcome = byhand(folder, Arguments{"compare", "--mine", "mine", "--steps", "3"} + kOdd);
    CHECK(outcome.code == 1);
    const std::string again =
        "\nnext: fix dC and repeat only this comparison (--verbose lists every value):\n  byhand compare ";
    const std::size_t at = outcome.out.find(again);
    REQUIRE(at != std::string::npos);
    Arguments command = {"compare"};
    const std::size_t begin = at + again.size();
    std::istringstream words(outcome.out.substr(begin, outcome.out.find('\n', begin) - begin));
    for (std::string word; words >> word;) {
        command.push_back(word);
    }
    CHECK(std::ranges::find(command, "--mine") != command.end());
    const Outcome repeated = byhand(folder, command);
    CHECK(repeated.code == 1);
    CHECK(repeated.out.find("  dC ") != std::string::npos);
    // Of another step it is not.
    CHECK(byhand(folder, Arguments{"compare", "--mine", "mine"} + kOdd).code == 1);
}

TEST_CASE("compare --mine: a planted mistake's numbers are judged as the steps are that made them") {
    need_torch();
    const Folder folder;
    for (const std::string mistake : {"dvar-path-forgotten", "embedding-overwritten", "gradients-swapped"}) {
        CAPTURE(mistake);
        const Outcome planted =
            byhand(folder, {"compare", "--plant", mistake, "--dump", "dump.safetensors", "--format", "json"});
        REQUIRE(planted.code == 1);
        write_stored(folder.file("mine"), tensors_of(read_stored(folder.file("dump.safetensors")), "manual"));
        const Judged all = judged(folder, {});
        CHECK(all.code == 1);
        const Json report = parsed_json(planted.out);
        CHECK(all.culprits() == report["culprits"].get<Names>());
        CHECK(all.report["victims"] == report["victims"]);
        CHECK(all.report["inherited"] == report["inherited"]);
    }
}

TEST_CASE("compare --mine: the planted mistake that makes dW1 and dC is named, though nothing else is given") {
    need_torch();
    const Folder folder;
    const Arguments plant = {"compare", "--plant", "dvar-path-forgotten", "--dump", "dump.safetensors"};
    REQUIRE(byhand(folder, plant + kOdd).code == 1);
    const auto manual = tensors_of(read_stored(folder.file("dump.safetensors")), "manual");
    write_stored(folder.file("mine"), {{"dW1", manual.at("dW1")}, {"dC", manual.at("dC")}});
    const Outcome table = byhand(folder, Arguments{"compare", "--mine", "mine"} + kOdd);
    CHECK(table.out.find("\n  hint: the known mistake dvar-path-forgotten produces these numbers: the path\n  through "
                         "the variance") != std::string::npos);
    const Judged all = judged(folder, kOdd);
    CHECK(all.report["steps"][0]["mistake"] == "dvar-path-forgotten");
    // With one that it does not make none is named.
    std::vector<float> numbers = manual.at("dC").floats();
    numbers[4] += 0.01F;
    write_stored(folder.file("mine"), {{"dW1", manual.at("dW1")}, {"dC", stored("F32", {27, 3}, numbers)}});
    CHECK(judged(folder, kOdd).report["steps"][0]["mistake"].is_null());
}

TEST_CASE("compare --mine: a NaN is inherited, by a product with a one-hot matrix too, and has no figures") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    dump(folder, kOdd);
    const std::string line = "dh = dlogits @ W2.T\n";
    folder.write("nan.py", exchanged("mine.py", line, line + "dh[3, 5] = np.nan\n"));
    run_python(folder, "nan.py");
    const Judged all = judged(folder, kOdd);
    CHECK(all.code == 1);
    CHECK(all.culprits() == Names{"dh"});
    std::size_t bad = 0;
    for (const Json& tensor : all.report["steps"][0]["tensors"]) {
        const std::string name = tensor["name"].get<std::string>();
        CAPTURE(name);
        if (Names{"dhpreact", "dhprebn", "dembcat", "demb", "dC", "dW1"}.contains(name)) {
            ++bad;
            CHECK(tensor["verdict"] == "non-finite");
            CHECK(tensor["role"] == "inherited from dh");
            CHECK(tensor["error_manual"].is_null());
            CHECK(tensor["used"].is_null());
        }
    }
    CHECK(bad == 6);
}

TEST_CASE("compare --mine refuses what it can't judge, in one line") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    const StoredFile file = read_stored(folder.file("dump.safetensors"));
    const auto torch = tensors_of(file, "torch");
    check_refused(byhand(folder, {"compare", "--mine", "nowhere"}), "nowhere: ");
    check_refused(byhand(folder, {"compare", "--mine", "dump.safetensors"}),
                  "dump.safetensors: a dump, with byhand's and LibTorch's values; compute your own from it");
    check_refused(byhand(folder, {"compare", "--mine", ""}), "--mine");
    folder.write("text", "dW1 = 3\n");
    check_refused(byhand(folder, {"compare", "--mine", "text"}), "text");
    write_stored(folder.file("mine"), {{"dW1", torch.at("dW1")}});
    for (const Arguments& other :
         {Arguments{"--drift"}, {"--plant", "all-zeros"}, {"--model", "fused"}, {"--from", "1"}, {"--every", "2"}}) {
        check_refused(byhand(folder, Arguments{"compare", "--mine", "mine"} + other), other.front());
    }
    check_refused(byhand(folder, {"compare", "--mine", "mine", "--hidden", "37"}),
                  "dW1 is (6, 100), and should be (6, 37)");
    write_stored(folder.file("mine"), {});
    check_refused(byhand(folder, {"compare", "--mine", "mine"}), "holds no tensors");
    write_stored(folder.file("mine"), {{"dw1", torch.at("dW1")}});
    check_refused(byhand(folder, {"compare", "--mine", "mine"}), "this network has no dw1 (dW1?)");
    write_stored(folder.file("mine"), {{"dW1", stored("I64", {6, 100}, std::vector<std::int64_t>(600, 1))}});
    check_refused(byhand(folder, {"compare", "--mine", "mine"}), "dW1 holds whole numbers, and should be F32 or F64");
    // From a dump of another step or seed.
    write_stored(folder.file("mine"), {{"X", file.tensors.at("X")}, {"dW1", torch.at("dW1")}});
    CHECK(byhand(folder, {"compare", "--mine", "mine"}).code == 0);
    check_refused(byhand(folder, {"compare", "--mine", "mine", "--steps", "2"}), "X is not this step's batch");
    write_stored(folder.file("mine"), {{"W1", torch.at("W1")}, {"dW1", torch.at("dW1")}});
    check_refused(byhand(folder, {"compare", "--mine", "mine", "--seed", "1"}), "W1 is not what this step begins with");
    CHECK(folder.files() == std::vector<std::string>{"dump.safetensors", "mine", "text"});
}

TEST_CASE("compare --mine: every fault of a file is reported, on a line each") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    const auto torch = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    write_stored(folder.file("mine"), {{"dC", stored("F32", {54}, torch.at("dC").floats())},
                                       {"dW2", torch.at("dW2")},
                                       {"db2", stored("I64", {27}, std::vector<std::int64_t>(27, 3))},
                                       {"extra", torch.at("dW2")}});
    const Outcome outcome = byhand(folder, {"compare", "--mine", "mine"});
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    std::vector<std::string> lines = lines_of(outcome.err);
    CHECK(lines.front() == "mine: left out, since this network has no extra");
    std::ranges::sort(lines);
    CHECK(std::ranges::count(lines, "byhand: mine: dC is (54), and should be (27, 2)") == 1);
    CHECK(std::ranges::count(lines, "byhand: mine: db2 holds whole numbers, and should be F32 or F64") == 1);
    CHECK(lines.size() == 3);
}

TEST_CASE("compare --mine: with the parameters' gradients only, the report names what else would find the step") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    auto torch = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    std::vector<float> numbers = torch.at("dC").floats();
    numbers[4] += 0.01F;
    write_stored(folder.file("mine"), {{"dC", stored("F32", torch.at("dC").shape, numbers)}, {"dW2", torch.at("dW2")}});
    const Outcome outcome = byhand(folder, {"compare", "--mine", "mine"});
    CHECK(outcome.code == 1);
    CHECK(outcome.out.find(
              "\nfirst divergence dC; off end to end: dC\n  to find the step, add these to the file: demb, ") !=
          std::string::npos);
}

}  // namespace cli_test
