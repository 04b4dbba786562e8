// compare --mine: the files it reads, the shapes and the names in them.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/external.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {
namespace {

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

TEST_CASE("compare --mine: weights as PyTorch keeps them, and double, are converted, and stderr says so") {
    need_torch();
    const Folder folder;
    dump(folder, kNotes);
    auto tensors = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    for (const std::string name : {"W1", "W2", "dW1", "dW2", "new_W1", "new_W2"}) {
        tensors[name] = turned(tensors.at(name));
    }
    std::vector<double> numbers = tensors.at("db2").doubles();
    std::ranges::for_each(numbers, [](double& number) { number *= 1 + 1e-12; });
    tensors["db2"] = stored("F64", tensors.at("db2").shape, numbers);
    write_stored(folder.file("mine"), tensors);
    const Outcome outcome = byhand(folder, {"compare", "--mine", "mine"});
    CHECK(outcome.code == 0);
    CHECK(lines_of(outcome.err).size() == 2);
    CHECK(outcome.err.find("mine: weights and their gradients are (out, in) there") != std::string::npos);
    CHECK(outcome.err.find("mine: F64 beside F32: ") != std::string::npos);
    tensors["dW1"] = turned(tensors.at("dW1"));
    write_stored(folder.file("mine"), tensors);
    check_refused(byhand(folder, {"compare", "--mine", "mine"}),
                  "mine: dW1 (6, 100) is (in, out), while W1 (100, 6), W2 (27, 100), dW2 (27, 100)");
}

TEST_CASE("compare --mine: the lectures' shapes and PyTorch's names agree, and stderr says what was converted") {
    need_torch();
    const Folder folder;
    dump(folder, kOdd);
    auto tensors = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    for (const std::string name : {"bnmeani", "bnvar", "bnvar_inv", "dbnvar", "bngain", "dbngain", "loss"}) {
        StoredTensor& tensor = tensors.at(name);
        tensor.shape.insert(tensor.shape.begin(), 1);
    }
    for (const std::string name : {"counts_sum", "logit_maxes", "dcounts_sum"}) {
        tensors.at(name).shape.push_back(1);
    }
    for (const std::string name : {"C", "W1", "W2", "b2"}) {
        tensors[name + ".grad"] = tensors.at("d" + name);
        tensors.erase("d" + name);
    }
    write_stored(folder.file("mine"), tensors);
    check_agreement(folder, kOdd);
    const std::string said = byhand(folder, Arguments{"compare", "--mine", "mine"} + kOdd).err;
    CHECK(lines_of(said).size() == 2);
    CHECK(said.find("C.grad as dC") != std::string::npos);
    CHECK(said.find("bnmeani (1, 37) as (37)") != std::string::npos);
}

TEST_CASE("compare --mine: numpy.savez, savez_compressed and save are read as safetensors are, in any order of axes") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    dump(folder, kOdd);
    run_python(folder, std::string(BYHAND_SOURCES) + "/examples/mine.py");
    const std::string said = byhand(folder, Arguments{"compare", "--mine", "mine", "--format", "json"} + kOdd).out;
    REQUIRE(byhand(folder, Arguments{"compare", "--dump", "dump.npz"} + kOdd).code == 0);
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
np.savez("positional.npz", tensors["dW2"], tensors["dC"])
with np.load("dump.npz") as dump:
    X = dump["X"].astype("<i4")
np.savez("indices.npz", X=X, dC=tensors["dC"])
np.savez("other-indices.npz", X=X[::-1], dC=tensors["dC"])
header = json.dumps({"X": {"dtype": "I32", "shape": X.shape, "data_offsets": [0, X.nbytes]},
                     "dC": {"dtype": "F32", "shape": tensors["dC"].shape,
                            "data_offsets": [X.nbytes, X.nbytes + tensors["dC"].nbytes]}}).encode()
with open("indices.safetensors", "wb") as file:
    file.write(len(header).to_bytes(8, "little") + header + X.tobytes() + tensors["dC"].tobytes())
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
    REQUIRE(
        run(folder, kPython, {std::string(BYHAND_SOURCES) + "/examples/mine.py", "dump.safetensors", "own.npz"}).code ==
        0);
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
    // One that is not read leaves the others.
    const Outcome rest = byhand(folder, Arguments{"compare", "--mine", "big-endian.npz"} + kOdd);
    CHECK(rest.code == 0);
    CHECK(rest.err.starts_with("big-endian.npz: not read: dW2 holds '>f4'; "));
    CHECK(lines_of(rest.err).size() == 1);
    CHECK(rest.out.find("they agree: 1 tensor over 1 step") != std::string::npos);
    for (const Arguments& files : {Arguments{"indices.npz"}, {"indices.safetensors"}}) {
        const Outcome outcome = byhand(folder, Arguments{"compare", "--mine"} + files + kOdd);
        CHECK(outcome.code == 0);
        CHECK(outcome.err.empty());
    }
    check_refused(byhand(folder, Arguments{"compare", "--mine", "other-indices.npz"} + kOdd), "X is not this step's");
    check_refused(byhand(folder, Arguments{"compare", "--mine", "positional.npz"} + kOdd),
                  "positional.npz: this network has no arr_0, arr_1; name the arrays: numpy.savez(");
    const Outcome huge = byhand(folder, Arguments{"compare", "--mine", "huge.npz"} + kOdd);
    CHECK(huge.code == 2);
    CHECK(huge.err.find("huge.npz: dW2 is (30000, 3000), and should be (37, 27)\n") != std::string::npos);
    CHECK(huge.peak_bytes < 100U << 20U);
}

TEST_CASE("compare --dump: NumPy loads a .npz, which has the same values as a safetensors file") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    dump(folder, kOdd);
    REQUIRE(byhand(folder, Arguments{"compare", "--dump", "dump.npz"} + kOdd).code == 0);
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
    const std::string script = std::string(BYHAND_SOURCES) + "/examples/mine.py";
    REQUIRE(run(folder, kPython, {script, "dump.npz", "mine.npz"}).code == 0);
    REQUIRE(run(folder, kPython, {script, "dump.safetensors", "same.npz"}).code == 0);
    CHECK(folder.read("mine.npz").size() == folder.read("same.npz").size());
    CHECK(byhand(folder, Arguments{"compare", "--mine", "mine.npz"} + kOdd).code == 0);
    // As the file of --mine it is named.
    check_refused(byhand(folder, Arguments{"compare", "--mine", "dump.npz"} + kOdd), "dump.npz: a dump, with byhand's");
    // It may be written over, by the other format too.
    CHECK(byhand(folder, Arguments{"compare", "--dump", "dump.npz"} + kOdd).code == 0);
    // Cut short, the example refuses it.
    std::filesystem::resize_file(folder.file("dump.npz"), 9999);
    const Outcome cut = run(folder, kPython, {script, "dump.npz", "mine.npz"});
    CHECK(cut.code == 2);
    CHECK(cut.err.starts_with("mine.py: dump.npz: not a whole dump"));
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
