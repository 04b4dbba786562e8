// compare --mine: the files it reads, the shapes and the names in them.
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <filesystem>
#include <string>

#include "cli/external.h"
#include "cli/program.h"
#include "cli/stored.h"

namespace cli_test {

TEST_CASE("compare --mine: stderr says which shapes and names of the lectures and of PyTorch were converted") {
    need_torch();
    const Folder folder;
    dump(folder, kOdd);
    auto tensors = tensors_of(read_stored(folder.file("dump.safetensors")), "torch");
    StoredTensor& bnmeani = tensors.at("bnmeani");
    bnmeani.shape.insert(bnmeani.shape.begin(), 1);
    tensors["C.grad"] = tensors.at("dC");
    tensors.erase("dC");
    write_stored(folder.file("mine"), tensors);
    const Outcome outcome = byhand(folder, Arguments{"compare", "--mine", "mine"} + kOdd);
    CHECK(outcome.code == 0);
    CHECK(lines_of(outcome.err).size() == 2);
    CHECK(contains(outcome.err, "C.grad as dC"));
    CHECK(contains(outcome.err, "bnmeani (1, 37) as (37)"));
}

TEST_CASE("compare --mine: numpy.savez, savez_compressed and save are read as safetensors are, in any order of axes") {
    need_torch();
    const Folder folder;
    need_numpy(folder);
    dump(folder, kOdd);
    run_python(folder, source_path("examples/mine.py"));
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
np.savez("big-endian.npz", dW2=tensors["dW2"].astype(">f4"), dC=tensors["dC"])
with np.load("dump.npz") as dump:
    X = dump["X"].astype("<i4")
np.savez("indices.npz", X=X, dC=tensors["dC"])
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
    REQUIRE(run(folder, kPython, {source_path("examples/mine.py"), "dump.safetensors", "own.npz"}).code == 0);
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
    // One that is not read leaves the others.
    const Outcome rest = byhand(folder, Arguments{"compare", "--mine", "big-endian.npz"} + kOdd);
    CHECK(rest.code == 0);
    CHECK(rest.err.starts_with("big-endian.npz: not read: dW2 holds '>f4'; "));
    CHECK(lines_of(rest.err).size() == 1);
    CHECK(contains(rest.out, "they agree: 1 tensor over 1 step"));
    CHECK(byhand(folder, Arguments{"compare", "--mine", "indices.npz"} + kOdd).err.empty());
    const Outcome huge = byhand(folder, Arguments{"compare", "--mine", "huge.npz"} + kOdd);
    CHECK(huge.code == 2);
    CHECK(contains(huge.err, "huge.npz: dW2 is (30000, 3000), and should be (37, 27)\n"));
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
    const std::string script = source_path("examples/mine.py");
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
