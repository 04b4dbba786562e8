#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/parsed_json.h"
#include "cli/program.h"
#include "cli/stored.h"

// compare --mine: the examples as one uses them, and files of other people's numbers.

namespace cli_test {
namespace {

using Names = std::set<std::string>;

const Arguments kNotes = {}, kMakemore = {"--recipe", "makemore-bn"},
                kOdd = {"--batch", "31", "--hidden", "37", "--embedding", "3"};

std::string read_whole(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

Outcome run(const Folder& folder, const std::string& program, const Arguments& arguments) {
    return Process(folder, program, arguments, {}).wait();
}

constexpr const char* kPython = "/usr/bin/python3";

void need_numpy(const Folder& folder) {
    if (::access(kPython, X_OK) != 0) {
        SKIP("no /usr/bin/python3");
    }
    if (run(folder, kPython, {"-c", "import numpy"}).code != 0) {
        SKIP("/usr/bin/python3 has no numpy");
    }
}

void dump(const Folder& folder, const Arguments& network) {
    REQUIRE(byhand(folder, Arguments{"compare", "--dump", "dump"} + network).code == 0);
}

// The example with one line exchanged for another, which it must have once.
std::string exchanged(const std::string& example, const std::string& line, const std::string& other) {
    std::string text = read_whole(std::string(BYHAND_SOURCES) + "/examples/" + example);
    const std::size_t at = text.find(line);
    REQUIRE(at != std::string::npos);
    REQUIRE(text.find(line, at + 1) == std::string::npos);
    return text.replace(at, line.size(), other);
}

struct Judged {
    int code = 0;
    Json report;

    Names culprits() const { return report["culprits"].get<Names>(); }
    std::map<std::string, std::string> verdicts() const {
        std::map<std::string, std::string> all;
        for (const Json& tensor : report["steps"][0]["tensors"]) {
            all[tensor["name"].get<std::string>()] = tensor["verdict"].get<std::string>();
        }
        return all;
    }
};

// What is said of the file "mine".
Judged judged(const Folder& folder, const Arguments& network) {
    const Outcome outcome = byhand(folder, Arguments{"compare", "--mine", "mine", "--format", "json"} + network);
    INFO(outcome.err);
    REQUIRE((outcome.code == 0 || outcome.code == 1));
    return {outcome.code, parsed_json(outcome.out)};
}

void check_agreement(const Folder& folder, const Arguments& network) {
    CAPTURE(network);
    const Judged all = judged(folder, network);
    CHECK(all.code == 0);
    CHECK(all.report["verdict"] == "agree");
    CHECK(all.culprits().empty());
}

void check_culprit(const Folder& folder, const std::string& name) {
    const Judged all = judged(folder, {});
    CHECK(all.code == 1);
    CHECK(all.report["verdict"] == "disagree");
    CHECK(all.culprits() == Names{name});
    CHECK(all.report["first_divergence"] == name);
}

void run_python(const Folder& folder, const std::string& script) {
    const Outcome outcome = run(folder, kPython, {script, "dump", "mine"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
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
    const Outcome outcome = run(folder, folder.file("mine-program"), {"dump", "mine"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
}

// One side of the dump under bare names: "manual", "torch".
std::map<std::string, StoredTensor> side_of(const StoredFile& file, const std::string& side) {
    std::map<std::string, StoredTensor> tensors;
    for (const auto& [name, tensor] : file.tensors) {
        if (name.starts_with(side + "/")) {
            tensors[name.substr(side.size() + 1)] = tensor;
        }
    }
    return tensors;
}

// (in, out) to (out, in).
StoredTensor turned(const StoredTensor& tensor) {
    const std::vector<float> numbers = tensor.floats();
    std::vector<float> columns;
    for (std::size_t j = 0; j < tensor.shape[1]; ++j) {
        for (std::size_t i = 0; i < tensor.shape[0]; ++i) {
            columns.push_back(numbers[i * tensor.shape[1] + j]);
        }
    }
    return stored("F32", {tensor.shape[1], tensor.shape[0]}, columns);
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
        const auto alone = judged(folder, network).report["steps"][0]["alone"];
        CHECK(alone.size() >= 25);  // every gradient was judged by what else is there
        for (const Json& step : alone) {
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
        {"", "dW2 = h.T @ dlogits", "dW2 = (dlogits.T @ h).T"},  // the same in other words
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

TEST_CASE("compare --mine: right lines in other words agree, where no divisor is a power of two") {
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
    const auto torch = side_of(read_stored(folder.file("dump")), "torch");
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
    CHECK(table.out.starts_with("step 0: loss 3.2"));
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
    const auto torch = side_of(read_stored(folder.file("dump")), "torch");
    std::vector<float> numbers = torch.at("dC").floats();
    numbers[4] += 0.01F;
    write_stored(folder.file("mine"), {{"dC", stored("F32", torch.at("dC").shape, numbers)}});
    const Outcome outcome = byhand(folder, Arguments{"compare", "--mine", "mine", "--steps", "3"} + kOdd);
    CHECK(outcome.code == 1);
    const std::string again = "\nto see just this again: byhand compare ";
    const std::size_t at = outcome.out.find(again);
    REQUIRE(at != std::string::npos);
    Arguments command = {"compare"};
    std::istringstream words(outcome.out.substr(at + again.size()));
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

TEST_CASE("compare --mine: weights as PyTorch keeps them, and double, are fitted in, and that is said") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    auto mine = side_of(read_stored(folder.file("dump")), "torch");
    for (const std::string name : {"W1", "W2", "dW1", "dW2", "new_W1", "new_W2"}) {
        mine[name] = turned(mine.at(name));
    }
    std::vector<double> numbers = mine.at("db2").doubles();
    std::ranges::for_each(numbers, [](double& number) { number *= 1 + 1e-12; });
    mine["db2"] = stored("F64", mine.at("db2").shape, numbers);
    write_stored(folder.file("mine"), mine);
    const Outcome outcome = byhand(folder, {"compare", "--mine", "mine"});
    CHECK(outcome.code == 0);
    CHECK(lines_of(outcome.err).size() == 2);
    CHECK(outcome.err.find("mine: weights and their gradients are (out, in) there") != std::string::npos);
    CHECK(outcome.err.find("mine: F64 beside F32: ") != std::string::npos);
    mine["dW1"] = turned(mine.at("dW1"));
    write_stored(folder.file("mine"), mine);
    check_refused(byhand(folder, {"compare", "--mine", "mine"}),
                  "mine: dW1 (6, 100) is (in, out), while W1 (100, 6), W2 (27, 100), dW2 (27, 100)");
}

TEST_CASE("compare --mine: a planted mistake's numbers are judged as the steps are that made them") {
    need_torch();
    const Folder folder;
    for (const std::string mistake : {"dvar-path-forgotten", "embedding-overwritten", "gradients-swapped"}) {
        CAPTURE(mistake);
        const Outcome planted = byhand(folder, {"compare", "--plant", mistake, "--dump", "dump", "--format", "json"});
        REQUIRE(planted.code == 1);
        write_stored(folder.file("mine"), side_of(read_stored(folder.file("dump")), "manual"));
        const Judged all = judged(folder, {});
        CHECK(all.code == 1);
        const Json report = parsed_json(planted.out);
        CHECK(all.culprits() == report["culprits"].get<Names>());
        CHECK(all.report["victims"] == report["victims"]);
        CHECK(all.report["inherited"] == report["inherited"]);
    }
}

TEST_CASE("compare --mine refuses what it can't judge, in one line") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    const StoredFile file = read_stored(folder.file("dump"));
    const auto torch = side_of(file, "torch");
    check_refused(byhand(folder, {"compare", "--mine", "nowhere"}), "nowhere: ");
    check_refused(byhand(folder, {"compare", "--mine", "dump"}), "dump: this network has no ");
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
    check_refused(byhand(folder, {"compare", "--mine", "mine"}), "dW1 holds whole numbers (I64)");
    // From a dump of another step or seed.
    write_stored(folder.file("mine"), {{"X", file.tensors.at("X")}, {"dW1", torch.at("dW1")}});
    CHECK(byhand(folder, {"compare", "--mine", "mine"}).code == 0);
    check_refused(byhand(folder, {"compare", "--mine", "mine", "--steps", "2"}), "X is not this step's batch");
    write_stored(folder.file("mine"), {{"W1", torch.at("W1")}, {"dW1", torch.at("dW1")}});
    check_refused(byhand(folder, {"compare", "--mine", "mine", "--seed", "1"}), "W1 is not what this step begins with");
    CHECK(folder.files() == std::vector<std::string>{"dump", "mine", "text"});
}

TEST_CASE("compare --mine: every fault of a file is told, a line each") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    const auto torch = side_of(read_stored(folder.file("dump")), "torch");
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
    CHECK(std::ranges::count(lines, "byhand: mine: db2 holds whole numbers (I64), and should be F32 or F64") == 1);
    CHECK(lines.size() == 3);
}

TEST_CASE("compare --mine: the lectures' shapes and PyTorch's names agree, and what was done is said") {
    need_torch();
    const Folder folder;
    dump(folder, kOdd);
    auto mine = side_of(read_stored(folder.file("dump")), "torch");
    for (const std::string name : {"bnmeani", "bnvar", "bnvar_inv", "dbnvar", "bngain", "dbngain", "loss"}) {
        StoredTensor& tensor = mine.at(name);
        tensor.shape.insert(tensor.shape.begin(), 1);
    }
    for (const std::string name : {"counts_sum", "logit_maxes", "dcounts_sum"}) {
        mine.at(name).shape.push_back(1);
    }
    for (const std::string name : {"C", "W1", "W2", "b2"}) {
        mine[name + ".grad"] = mine.at("d" + name);
        mine.erase("d" + name);
    }
    write_stored(folder.file("mine"), mine);
    check_agreement(folder, kOdd);
    const std::string said = byhand(folder, Arguments{"compare", "--mine", "mine"} + kOdd).err;
    CHECK(lines_of(said).size() == 2);
    CHECK(said.find("C.grad as dC") != std::string::npos);
    CHECK(said.find("bnmeani (1, 37) as (37)") != std::string::npos);
}

TEST_CASE("compare --mine: of the parameters' gradients alone it is said what else would find the step") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    auto torch = side_of(read_stored(folder.file("dump")), "torch");
    std::vector<float> numbers = torch.at("dC").floats();
    numbers[4] += 0.01F;
    write_stored(folder.file("mine"), {{"dC", stored("F32", torch.at("dC").shape, numbers)}, {"dW2", torch.at("dW2")}});
    const Outcome outcome = byhand(folder, {"compare", "--mine", "mine"});
    CHECK(outcome.code == 1);
    CHECK(
        outcome.out.starts_with("first divergence dC; off in the chain: dC\n  give demb, dembcat, dhprebn, dbndiff, "));
    CHECK(outcome.out.find("too, and the step is found\n") != std::string::npos);
}

TEST_CASE("compare --mine: numpy.savez, savez_compressed and save are read as safetensors are, in any order of axes") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    dump(folder, kOdd);
    run_python(folder, std::string(BYHAND_SOURCES) + "/examples/mine.py");
    const std::string said = byhand(folder, Arguments{"compare", "--mine", "mine", "--format", "json"} + kOdd).out;
    folder.write("convert.py", R"(
import json, sys, numpy as np
data = open(sys.argv[1], "rb").read()
start = 8 + int.from_bytes(data[:8], "little")
tensors = {}
for name, entry in json.loads(data[8:start]).items():
    begin, end = entry["data_offsets"]
    tensors[name] = np.frombuffer(data[start + begin:start + end], "<f4").reshape(entry["shape"])
np.savez("stored.npz", **tensors)
np.savez_compressed("deflated.npz", **tensors)
np.savez("columns.npz", **{name: np.asfortranarray(tensor) for name, tensor in tensors.items()})
np.save("dW2.npy", tensors["dW2"])
np.savez("half.npz", **{name: tensors[name].astype("<f2") for name in ("dW1", "dW2")})
np.savez("big-endian.npz", dW2=tensors["dW2"].astype(">f4"), dC=tensors["dC"])
np.savez_compressed("huge.npz", dW2=np.zeros((30000, 3000), "<f4"), other=np.zeros((30000, 3000)))
)");
    const Outcome converted = run(folder, kPython, {"convert.py", "mine"});
    CAPTURE(converted.err);
    REQUIRE(converted.code == 0);
    for (const std::string name : {"stored.npz", "deflated.npz", "columns.npz"}) {
        CAPTURE(name);
        const Outcome outcome = byhand(folder, Arguments{"compare", "--mine", name, "--format", "json"} + kOdd);
        CHECK(outcome.code == 0);
        CHECK(outcome.out == said);
    }
    // The example writes one itself.
    REQUIRE(run(folder, kPython, {std::string(BYHAND_SOURCES) + "/examples/mine.py", "dump", "own.npz"}).code == 0);
    CHECK(byhand(folder, Arguments{"compare", "--mine", "own.npz", "--format", "json"} + kOdd).out == said);
    const Outcome one = byhand(folder, Arguments{"compare", "--mine", "dW2.npy", "--format", "json"} + kOdd);
    CHECK(one.code == 0);
    std::size_t given = 0;
    const Json report = parsed_json(one.out);
    for (const Json& tensor : report["steps"][0]["tensors"]) {
        given += tensor["verdict"] == "not-given" ? 0 : 1;
        CHECK((tensor["verdict"] == "not-given") == (tensor["name"] != "dW2"));
    }
    CHECK(given == 1);
    const Outcome half = byhand(folder, Arguments{"compare", "--mine", "half.npz"} + kOdd);
    CHECK(half.code == 2);
    CHECK(lines_of(half.err).size() == 2);
    CHECK(half.err.starts_with("byhand: half.npz: dW1 holds '<f2'; "));
    check_refused(byhand(folder, Arguments{"compare", "--mine", "big-endian.npz"} + kOdd), "dW2 holds '>f4'; ");
    const Outcome huge = byhand(folder, Arguments{"compare", "--mine", "huge.npz"} + kOdd);
    CHECK(huge.code == 2);
    CHECK(huge.err.find("huge.npz: dW2 is (30000, 3000), and should be (37, 27)\n") != std::string::npos);
    CHECK(huge.peak_bytes < 100U << 20U);
}

TEST_CASE("compare --mine: a PyTorch file is named, with what converts it") {
    const Folder folder;
    need_torch();
    folder.write("old.pt", std::string("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15));
    check_refused(byhand(folder, {"compare", "--mine", "old.pt"}),
                  "old.pt: a PyTorch file, which is a pickle: convert it by python3 -c 'import numpy, torch; "
                  "numpy.savez(\"mine.npz\", **{k: v.detach().cpu().numpy() for k, v in torch.load(\"old.pt\")");
}

}  // namespace cli_test
