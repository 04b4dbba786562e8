#include <catch2/catch_test_macros.hpp>
#include <map>
#include <string>
#include <vector>

#include "cli/external.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

// byhand trace: of a dump that other code wrote, and of what examples/python/trace.py records.

namespace cli_test {
namespace {

// y = max(x·Wᵀ + b, 0), and the gradients of x and b by dy.
constexpr const char* kGraph = R"({"format": "byhand-graph", "version": 1, "gradients": "d {}", "steps": [
  {"result": "h", "operation": "linear", "inputs": ["x", "W", "b"], "where": "net.cpp:7"},
  {"result": "y", "operation": "relu", "inputs": ["h"]}]})";

std::map<std::string, StoredTensor> tensors(float h = 5.5F, float db = 3) {
    const auto floats = [](const std::vector<std::size_t>& shape, const std::vector<float>& numbers) {
        return stored("F32", shape, numbers);
    };
    return {{"x", floats({1, 2}, {1, 2})}, {"W", floats({1, 2}, {-1, 3})},   {"b", floats({1}, {0.5F})},
            {"h", floats({1, 1}, {h})},    {"y", floats({1, 1}, {h})},       {"d y", floats({1, 1}, {3})},
            {"d h", floats({1, 1}, {3})},  {"d x", floats({1, 2}, {-3, 9})}, {"d b", floats({1}, {db})}};
}

}  // namespace

TEST_CASE("trace: the culprit in the forward and in the backward pass, in every format") {
    need_torch();
    const Folder folder;
    folder.write("graph.json", kGraph);
    write_stored(folder.file("right"), tensors());
    CHECK(contains(succeeds(folder, "trace graph.json right").out, "right: 5 steps judged in isolation\n"));
    CHECK(succeeds(folder, "trace graph.json right right --format csv").err.empty());
    write_stored(folder.file("h"), tensors(5.75F));
    const Outcome forward = byhand(folder, "trace graph.json h right");
    CHECK(forward.code == 1);
    CHECK(contains(forward.out, "1 culprit: h, of 5 steps judged in isolation"));
    CHECK(contains(forward.out, "net.cpp:7"));
    CHECK(contains(forward.out, "inherited from h"));
    write_stored(folder.file("db"), tensors(5.5F, 1.5F));
    CHECK(contains(byhand(folder, "trace graph.json db").out, "1 culprit: d b, "));
    const Outcome sarif = byhand(folder, "trace graph.json h --format sarif --output report");
    CHECK(sarif.code == 1);
    CHECK(contains(sarif.err, "1 culprit: h, "));
    CHECK(contains(folder.read("report"), "\"uri\": \"net.cpp\""));
    CHECK(contains(folder.read("report"), "\"startLine\": 7"));
}

TEST_CASE("trace: a PyTorch model that examples/python/trace.py records is right in every step") {
    need_torch();
    const Folder folder;
    if (!folder.has(kPython) || run(folder, kPython, {"-c", "import torch"}).code != 0) {
        SKIP("no python3-torch");
    }
    folder.write("net.py", R"(import runpy, sys, torch
from torch.nn import functional as F
record = runpy.run_path(sys.argv[1])["record"]
torch.manual_seed(3)
net = torch.nn.Sequential(torch.nn.Embedding(11, 6), torch.nn.LayerNorm(6), torch.nn.Linear(6, 13), torch.nn.GELU(),
                          torch.nn.Flatten(), torch.nn.Linear(39, 11))
x, y = torch.randint(0, 11, (7, 3)), torch.randint(0, 11, (7,))
record(net, x, loss=lambda logits: F.cross_entropy(logits, y), dump="right.safetensors", graph="graph.json")
)");
    REQUIRE(run(folder, kPython, {"net.py", source_path("examples/python/trace.py")}).code == 0);
    const Outcome right = succeeds(folder, "trace graph.json right.safetensors right.safetensors");
    CHECK(contains(right.out, "right: "));
    CHECK_FALSE(contains(right.out, "not judged"));
    std::string graph = folder.read("graph.json");
    const std::string form = "\"approximate\": \"none\"";
    REQUIRE(contains(graph, form));
    folder.write("graph.json", graph.replace(graph.find(form), form.size(), "\"approximate\": \"tanh\""));
    const Outcome wrong = byhand(folder, "trace graph.json right.safetensors");
    CHECK(wrong.code == 1);
    CHECK(contains(wrong.out, "2 culprits: "));  // the activation, and its gradient
}

TEST_CASE("trace refuses what it can't judge, in one line") {
    need_torch();
    const Folder folder;
    folder.write("graph.json", kGraph);
    folder.write("empty.json", R"({"format": "byhand-graph", "version": 1, "steps": []})");
    folder.write("cycle.json", R"({"format": "byhand-graph", "version": 1, "steps": [
      {"result": "a", "operation": "add", "inputs": ["b", 1]}, {"result": "b", "operation": "add", "inputs": ["a", 1]}]})");
    folder.write("shape.json", R"({"format": "byhand-graph", "version": 1, "steps": [
      {"result": "h", "operation": "mm", "inputs": ["x", "W"]}]})");
    write_stored(folder.file("right"), tensors());
    check_refused(folder, {{"trace", "GRAPH is required"},
                           {"trace graph.json", "A is required"},
                           {"trace right right", "right"},
                           {"trace empty.json right", "steps"},
                           {"trace cycle.json right", "makes only later"},
                           {"trace shape.json right", "shape.json: steps[0] (h): "},
                           {"trace graph.json graph.json", "it is JSON"},
                           {"trace graph.json none", "none"}});
}

}  // namespace cli_test
