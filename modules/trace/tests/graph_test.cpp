#include "trace/graph.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "trace/operations.h"

namespace byhand {
namespace {

std::string graph_of(const std::string& steps) {
    return R"({"format": "byhand-graph", "version": 1, "steps": [)" + steps + "]}";
}

// Reads the steps and prepares their operations.
std::string refusal(const std::string& steps) {
    try {
        for (const TracedStep& step : read_graph(graph_of(steps), "g.json").steps) {
            load_traced_operations().knows(step);
        }
    } catch (const InputError& error) {
        return error.what();
    }
    return "accepted";
}

}  // namespace

TEST_CASE("a graph is read strictly") {
    CHECK(refusal(R"({"result": "y", "operation": "relu", "inputs": ["x"]})") == "accepted");
    CHECK(refusal(R"({"result": "y", "operation": "relu", "input": ["x"]})")
              .starts_with("g.json: steps[0].input: no such key"));
    CHECK(
        refusal(
            R"({"result": "y", "operation": "relu", "inputs": ["z"]}, {"result": "z", "operation": "relu", "inputs": ["x"]})")
            .starts_with("g.json: steps[0] (y): reads z, which steps[1] makes only later"));
    CHECK(refusal(R"({"result": "y", "operation": "relu", "inputs": ["y"]})").find("it makes itself") !=
          std::string::npos);
    CHECK(
        refusal(
            R"({"result": "y", "operation": "relu", "inputs": ["x"]}, {"result": "y", "operation": "exp", "inputs": ["x"]})")
            .starts_with("g.json: steps[1] (y): steps[0] makes y too"));
    CHECK(refusal(R"({"result": "y", "operation": "relu", "inputs": [true]})")
              .find("takes the name of a tensor, a number, or null") != std::string::npos);
}

TEST_CASE("an operation takes its own inputs and attributes") {
    CHECK(refusal(R"({"result": "y", "operation": "gelu", "inputs": ["x"], "attributes": {"approximat": "tanh"}})") ==
          "g.json: steps[0] (y).attributes.approximat: gelu has no such attribute; the nearest is approximate (it has "
          "approximate)");
    CHECK(refusal(R"({"result": "y", "operation": "gelu", "inputs": ["x"], "attributes": {"approximate": 1}})")
              .find("takes a word") != std::string::npos);
    CHECK(refusal(R"({"result": "y", "operation": "softmax", "inputs": ["x"]})")
              .find("dim: is missing; softmax needs it") != std::string::npos);
    CHECK(refusal(R"({"result": "y", "operation": "linear", "inputs": ["x"]})")
              .find("linear takes 2 to 3 inputs, not 1") != std::string::npos);
    CHECK(refusal(R"({"result": "y", "operation": "linear", "inputs": ["x", null]})").find("leaves out input 1") !=
          std::string::npos);
    CHECK(refusal(R"({"result": "y", "operation": "chunk", "inputs": ["x"], "attributes": {"chunks": 3}})")
              .find("has no output") != std::string::npos);
    CHECK(refusal(
              R"({"result": "y", "operation": "cross_entropy", "inputs": ["x", "t"], "attributes": {"reduction": 1}})")
              .find("takes \"none\", \"mean\" or \"sum\"") != std::string::npos);
    CHECK(refusal(R"({"result": "y", "operation": "add", "inputs": ["x"]})").find("takes 2 inputs, not 1") !=
          std::string::npos);
    CHECK(refusal(R"({"result": "y", "operation": "clamp", "inputs": ["x", 0, 1]})") == "accepted");
    CHECK(refusal(R"({"result": "y", "operation": "clamp", "inputs": ["x"], "attributes": {"max": 1}})") == "accepted");
    CHECK(refusal(R"({"result": "y", "operation": "index", "inputs": ["x", null, "i"]})") == "accepted");
    CHECK(refusal(R"({"result": "y", "operation": "unheard_of", "inputs": []})") == "accepted");
}

TEST_CASE("an operation is known if its result follows from its inputs") {
    const auto is_known = [](const std::string& operation) {
        const std::string step = R"({"result": "y", "operation": ")" + operation + R"(", "inputs": ["x"]})";
        return load_traced_operations().knows(read_graph(graph_of(step), "g.json").steps.at(0));
    };
    CHECK(is_known("relu"));
    CHECK(is_known("cat"));
    for (const char* operation : {"relu_", "rand_like", "bernoulli", "empty_like", "lstm"}) {
        INFO(operation);
        CHECK_FALSE(is_known(operation));
    }
}

}  // namespace byhand
