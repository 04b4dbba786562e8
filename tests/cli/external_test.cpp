// compare --mine: the examples as one uses them, what is said of right and wrong values, the files it reads, and the
// shapes and the names in them.
#include "cli/external.h"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/exercise_file.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

const Arguments kMakemore = "--recipe makemore-bn";

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
        run_python(folder, source_path("examples/mine.py"));
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
    compile(folder, source_path("examples/mine.cpp"));
    for (const Arguments& network : {kNotes, kMakemore, kOdd}) {
        dump(folder, network);
        run_program(folder);
        check_agreement(folder, network);
    }
}

TEST_CASE("compare --mine: one wrong line of mine.py is found, and none of an equivalent formula is called wrong") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    struct Line {
        std::string culprit, line, other;
    };
    const std::string softmax = "np.exp(logits - logits.max(1, keepdims=True))";
    const std::vector<Line> lines = {
        {"", "dW2 = h.T @ dlogits", "dW2 = (dlogits.T @ h).T"},  // the same product, transposed twice
        {"dbnvar", "dbnvar = -0.5 *", "dbnvar = 0.5 *"},
        {"dlogit_maxes", "dlogit_maxes = -dnorm_logits.sum(1)", "dlogit_maxes = -dnorm_logits[:, 1:].sum(1)"},
        // As the makemore lectures write them.
        {"", "dprobs = dlogprobs / probs", "dprobs = (np.float32(1) / probs) * dlogprobs"},
        {"", "dbndiff2 = np.ones_like(bndiff) * (dbnvar / D)",
         "dbndiff2 = np.float32(1 / D) * np.ones_like(bndiff) * dbnvar"},
        {"", "dhprebn = dbndiff + dbnmeani / n",
         "dhprebn = dbndiff + np.float32(1 / n) * (np.ones_like(bndiff) * dbnmeani)"},
        // And otherwise.
        {"", "dbnvar = -0.5 * (bnvar + eps) ** -1.5 * dbnvar_inv", "dbnvar = -0.5 * bnvar_inv ** 3 * dbnvar_inv"},
        {"", "dcounts_sum = -counts_sum ** -2 * dcounts_sum_inv",
         "dcounts_sum = -(counts_sum_inv * counts_sum_inv) * dcounts_sum_inv"},
        {"", "dcounts = counts_sum_inv[:, None] * dprobs + dcounts_sum[:, None]",
         "dcounts = dprobs / counts_sum[:, None] + dcounts_sum[:, None]"},
        {"", "dnorm_logits = counts * dcounts", "dnorm_logits = " + softmax + " * dcounts"},
        {"", "dhpreact = (1 - h * h) * dh", "dhpreact = (1 - h) * (1 + h) * dh"},
        {"", "dhpreact = (1 - h * h) * dh", "dhpreact = dh - h * h * dh"},
        {"", "dbngain = (dhpreact * bnraw).sum(0)", "dbngain = (dhpreact * bndiff).sum(0) * bnvar_inv"},
    };
    const std::string example = source_file("examples/mine.py");
    for (const auto& [culprit, line, other] : lines) {
        CAPTURE(other);
        // In odd sizes no divisor is a power of two.
        const Arguments& network = culprit.empty() ? kOdd : kNotes;
        dump(folder, network);
        REQUIRE(times(example, line) == 1);
        folder.write("changed.py", exchanged(example, line, other));
        run_python(folder, "changed.py");
        if (culprit.empty()) {
            check_agreement(folder, network);
        } else {
            check_culprit(folder, culprit);
        }
    }
}

TEST_CASE("compare --mine: values that are not given are one line of the table, and no disagreement") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    const auto torch = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    write_stored(folder.file("mine"), {{"dW2", torch.at("dW2")}, {"dlogits", torch.at("dlogits")}});
    const Judged all = judged(folder, {});
    CHECK(all.code == 0);
    std::size_t given = 0;
    for (const Json& tensor : all.report["steps"][0]["tensors"]) {
        given += tensor["verdict"] == "not-given" ? 0 : 1;
    }
    CHECK(given == 2);
    CHECK(all.report["steps"][0]["alone"].size() == 2);

    const Outcome table = succeeds(folder, "compare --mine mine");
    CHECK(table.err.empty());
    CHECK(contains(table.out,
                   "\nnot given: " + std::to_string(torch.size() - 2) + " values (byhand explain lists the names)\n"));
    // --tensor shows no more of them than of the others.
    CHECK(contains(byhand(folder, "compare --mine mine --tensor dW?").out, "\nnot given: dW1\n"));
    const Outcome junit = succeeds(folder, "compare --mine mine --format junit");
    CHECK(contains(junit.out, "<skipped message=\"not-given: dC\"/>"));
}

TEST_CASE("compare --mine: a gradient that nothing explains is off: what to add to the file, and how to repeat it") {
    need_torch();
    const Folder folder;
    dump(folder, kOdd + "--steps 3");
    const auto torch = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    std::vector<float> numbers = torch.at("dC").floats();
    numbers[4] += 0.01F;
    write_stored(folder.file("mine"), {{"dC", stored("F32", torch.at("dC").shape, numbers)}});
    const Outcome outcome = byhand(folder, "compare --mine mine --steps 3" + kOdd);
    CHECK(outcome.code == 1);
    CHECK(contains(outcome.out, "off end to end: dC\n  to find the step, add these to the file: demb, "));
    const std::string again =
        "\nnext: fix dC and repeat only this comparison (--verbose lists every value):\n  byhand compare ";
    const std::size_t at = outcome.out.find(again);
    REQUIRE(at != std::string::npos);
    const std::size_t begin = at + again.size();
    const Arguments command = "compare " + outcome.out.substr(begin, outcome.out.find('\n', begin) - begin);
    CHECK(std::ranges::find(command, "--mine") != command.end());
    const Outcome repeated = byhand(folder, command);
    CHECK(repeated.code == 1);
    CHECK(contains(repeated.out, "  dC "));
    // Of another step it is not.
    CHECK(byhand(folder, "compare --mine mine" + kOdd).code == 1);
}

TEST_CASE("compare --mine refuses what it can't judge, in one line") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    const StoredFile file = read_stored(folder.file("dump.safetensors"));
    const auto torch = tensors_of(file, "torch");
    const Arguments command = "compare --mine mine";
    folder.write("text", "dW1 = 3\n");
    write_stored(folder.file("mine"), {{"dW1", torch.at("dW1")}});
    check_refused(folder, {{"compare --mine nowhere", "nowhere: "},
                           {"compare --mine dump.safetensors",
                            "dump.safetensors: a dump, with byhand's and LibTorch's values; compute your own from it"},
                           {{"compare", "--mine", ""}, "--mine"},
                           {"compare --mine text", "text"},
                           {command + "--drift", "--drift"},
                           {command + "--plant all-zeros", "--plant"},
                           {command + "--model fused", "--model"},
                           {command + "--from 1", "--from"},
                           {command + "--every 2", "--every"},
                           {command + "--hidden 37", "dW1 is (6, 100), and should be (6, 37)"}});
    // From a dump of another step.
    write_stored(folder.file("mine"), {{"X", file.tensors.at("X")}, {"dW1", torch.at("dW1")}});
    succeeds(folder, command);
    check_refused(byhand(folder, command + "--steps 2"), "X is not this step's batch");
    // Each fault has a line.
    write_stored(folder.file("mine"), {{"dC", stored("F32", {54}, torch.at("dC").floats())},
                                       {"db2", stored("I64", {27}, std::vector<std::int64_t>(27, 3))},
                                       {"extra", torch.at("dW2")}});
    const Outcome faults = byhand(folder, command);
    CHECK(faults.code == 2);
    CHECK(faults.out.empty());
    CHECK(lines_of(faults.err) ==
          std::vector<std::string>{"mine: left out, since this network has no extra",
                                   "byhand: mine: dC is (54), and should be (27, 2)",
                                   "byhand: mine: db2 holds whole numbers, and should be F32 or F64"});
    CHECK(folder.files() == std::vector<std::string>{"dump.safetensors", "mine", "text"});
}

TEST_CASE("compare --mine: numpy.savez, savez_compressed and save are read as safetensors are, in any order of axes") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    dump(folder, kOdd);
    run_python(folder, source_path("examples/mine.py"));
    const std::string said = byhand(folder, "compare --mine mine --format json" + kOdd).out;
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
np.savez("half.npz", dW2=tensors["dW2"].astype("<f2"), dC=tensors["dC"].astype(">f4"))
np.savez_compressed("huge.npz", dW2=np.zeros((30000, 3000), "<f4"), other=np.zeros((30000, 3000)))
)");
    const Outcome converted = run(folder, kPython, {"convert.py", "mine"});
    CAPTURE(converted.err);
    REQUIRE(converted.code == 0);
    for (const std::string name : {"stored.npz", "deflated.npz", "columns.npz"}) {
        CAPTURE(name);
        const Outcome outcome = succeeds(folder, Arguments{"compare", "--mine", name, "--format", "json"} + kOdd);
        CHECK(outcome.out == said);
    }
    // The example writes one itself.
    REQUIRE(run(folder, kPython, {source_path("examples/mine.py"), "dump.safetensors", "own.npz"}).code == 0);
    CHECK(byhand(folder, "compare --mine own.npz --format json" + kOdd).out == said);
    CHECK(contains(succeeds(folder, "compare --mine dW2.npy" + kOdd).out, "they agree: 1 tensor over 1 step"));
    // One that is not read leaves the others; another byte order is read.
    const Outcome rest = succeeds(folder, "compare --mine half.npz" + kOdd);
    CHECK(rest.err.starts_with("half.npz: not read: dW2 holds '<f2'; "));
    CHECK(contains(rest.out, "they agree: 1 tensor over 1 step"));
    const Outcome huge = byhand(folder, "compare --mine huge.npz" + kOdd);
    CHECK(huge.code == 2);
    CHECK(contains(huge.err, "huge.npz: dW2 is (30000, 3000), and should be (37, 27)\n"));
    CHECK(huge.peak_bytes < 100U << 20U);
}

TEST_CASE("compare --dump: NumPy loads a .npz, which has the same values as a safetensors file") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    dump(folder, kOdd);
    succeeds(folder, "compare --dump dump.npz" + kOdd);
    folder.write("read.py", R"(
import json, numpy as np
data = open("dump.safetensors", "rb").read()
start = 8 + int.from_bytes(data[:8], "little")
entries = json.loads(data[8:start])
metadata = entries.pop("__metadata__")
with np.load("dump.npz") as dump:
    assert set(dump.files) == set(entries) | {"recipe", "vocabulary", "step"}
    for name, entry in entries.items():
        begin, end = entry["data_offsets"]
        assert dump[name].dtype.str == {"F32": "<f4", "F64": "<f8", "I64": "<i8"}[entry["dtype"]], name
        assert list(dump[name].shape) == entry["shape"], name
        assert dump[name].tobytes() == data[start + begin:start + end], name
    for name in ("recipe", "vocabulary", "step"):
        assert str(dump[name]) == metadata[name], name
    print(len(dump.files))
)");
    const Outcome read = run(folder, kPython, {"read.py"});
    CAPTURE(read.err);
    CHECK(read.code == 0);
    CHECK(read.out == "247\n");
    // The example reads it.
    const std::string script = source_path("examples/mine.py");
    REQUIRE(run(folder, kPython, {script, "dump.npz", "mine.npz"}).code == 0);
    succeeds(folder, "compare --mine mine.npz" + kOdd);
    // As the file of --mine it is named.
    check_refused(byhand(folder, "compare --mine dump.npz" + kOdd), "dump.npz: a dump, with byhand's");
    // It may be written over, by the other format too.
    succeeds(folder, "compare --dump dump.npz" + kOdd);
    // Cut short, the example refuses it.
    std::filesystem::resize_file(folder.file("dump.npz"), 9999);
    const Outcome cut = run(folder, kPython, {script, "dump.npz", "mine.npz"});
    CHECK(cut.code == 2);
    CHECK(cut.err.starts_with("mine.py: dump.npz: not a whole dump"));
}

}  // namespace cli_test
