#include "trace/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/narrow.h"
#include "report/writers.h"
#include "trace/tests/mlp.h"

namespace byhand {
namespace {

Trace traced(const Dump& a, const std::string& graph = kGraph) {
    return trace(read_graph(graph, "graph.json"), {.a = "a.npz", .read_a = reader(a)}, load_traced_operations());
}

Trace traced(const Dump& a, const Dump& b, const std::string& graph = kGraph, bool pictures = false) {
    return trace(read_graph(graph, "graph.json"),
                 {.a = "a.npz", .read_a = reader(a), .b = "b.npz", .read_b = reader(b), .pictures = pictures},
                 load_traced_operations());
}

// The part of a page from `begin` to `end`, from the first place of `from` on; empty if there is none.
std::string part_of(const std::string& page, const std::string& from, const std::string& begin,
                    const std::string& end) {
    const std::size_t at = page.find(begin, std::min(page.find(from), page.size()));
    return at == std::string::npos
               ? ""
               : page.substr(at + begin.size(), page.find(end, at + begin.size()) - at - begin.size());
}

// The details of a tensor.
std::string details_of(const std::string& page, const std::string& name) {
    return part_of(page, "<summary><span>" + name + ", details", "<div class=\"opened\"", "</details>");
}

std::vector<std::string> culprits(const Trace& trace) {
    std::vector<std::string> names;
    for (const ValueReport& value : trace.model.at(trace.model.culprits)) {
        names.push_back(value.name);
    }
    return names;
}

std::string role_of(const Trace& trace, const std::string& name) {
    for (const ValueReport& value : trace.model.values) {
        if (value.name == name) {
            return to_string(value.role);
        }
    }
    return "no such value";
}

std::string with(std::string text, const std::string& old, const std::string& instead) {
    REQUIRE(text.find(old) != std::string::npos);
    return text.replace(text.find(old), old.size(), instead);
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a network by plain loops is right in every step and gradient") {
    const Trace found = traced(run_mlp());
    const std::string text = to_text(trace_document(found), {.width = 120});
    INFO(text);
    CHECK(agree(found));
    CHECK(found.judged == 18);
    CHECK(unjudged(found) == 0);
    CHECK(found.model.values.size() == 18);
    for (const ValueReport& value : found.model.values) {
        INFO(value.name);
        CHECK(agrees(value.isolated->verdict()));
    }
}

TEST_CASE("it agrees with the same network in another order of sums") {
    Dump b = run_mlp();
    std::vector<float> h = floats(b, "h");
    for (float& number : h) {
        number *= 1 + 0x1p-23F;
    }
    put(b, "h", {5, 3}, h);
    const Trace found = traced(run_mlp(), b);
    const std::string text = to_text(trace_document(found), {.width = 120});
    INFO(text);
    CHECK(agree(found));
    CHECK(found.notes.empty());
}

TEST_CASE("the epsilon of a norm is a culprit in both directions, and what follows inherits from it") {
    const Trace alone = traced(run_mlp({.epsilon = 1e-5}));
    // Its gradients are those of a norm with the other epsilon: wrong by themselves, too.
    CHECK(culprits(alone) == Names{"n", "grad.gain", "grad.h"});
    const Trace found = traced(run_mlp({.epsilon = 1e-5}), run_mlp());
    const std::string text = to_text(trace_document(found), {.width = 120});
    INFO(text);
    CHECK_FALSE(agree(found));
    CHECK(role_of(found, "h").empty());
    CHECK(role_of(found, "t") == "inherited from n");
    CHECK(role_of(found, "grad.logits") == "inherited from n");
    CHECK(text.find("first divergence and culprit: n (layer_norm, net.py:4)") != std::string::npos);
}

TEST_CASE("a wrong step of the backward pass is the only culprit") {
    SECTION("a norm's gradient") {
        const Trace found = traced(run_mlp({.no_gain_in_dh = true}), run_mlp());
        CHECK(culprits(found) == Names{"grad.h"});
        CHECK(role_of(found, "grad.W1") == "inherited from grad.h");
        CHECK(role_of(found, "grad.n").empty());
    }
    SECTION("a sum over the readers of a tensor") {
        const Trace found = traced(run_mlp({.no_residual = true}));
        CHECK(culprits(found) == Names{"grad.n"});
    }
}

TEST_CASE("an input that differs from B's is the culprit of what follows") {
    const Trace found = traced(run_mlp({.input = 0.25}), run_mlp());
    CHECK(culprits(found) == Names{"x"});
    CHECK(role_of(found, "h") == "inherited from x");
}

TEST_CASE("masks and whole numbers are judged exactly, and what is infinite by rule is right") {
    const std::string graph = R"({"format": "byhand-graph", "version": 1, "steps": [
      {"result": "positive", "operation": "gt", "inputs": ["x", 0]},
      {"result": "masked", "operation": "masked_fill", "inputs": ["x", "positive"], "attributes": {"value": "-inf"}},
      {"result": "p", "operation": "softmax", "inputs": ["masked"], "attributes": {"dim": -1}}]})";
    const float none = -std::numeric_limits<float>::infinity();
    Dump dump;
    put(dump, "x", {1, 3}, {1, -1, -1});
    put(dump, "masked", {1, 3}, {none, -1, -1});
    put(dump, "p", {1, 3}, {0, 0.5F, 0.5F});
    dump["positive"] = {"positive", {1, 3}, DType::int8, {std::byte{1}, std::byte{0}, std::byte{0}}};
    const Trace right = traced(dump, dump, graph);
    const std::string text = to_text(trace_document(right), {.width = 120});
    INFO(text);
    CHECK(agree(right));
    CHECK(right.notes.empty());
    CHECK(right.judged == 3);
    CHECK(text.find("out-of-range") == std::string::npos);

    dump["positive"].bytes[2] = std::byte{1};
    CHECK(culprits(traced(dump, graph)) == Names{"positive", "masked"});
    dump["positive"].bytes[2] = std::byte{0};
    put(dump, "masked", {1, 3}, {-none, -1, -1});
    CHECK(culprits(traced(dump, graph)) == Names{"masked", "p"});
}

TEST_CASE("in bfloat16 a right network agrees with float, and a wrong epsilon is a culprit") {
    const auto in_16_bits = [](const Dump& dump) {
        Dump narrow;
        for (const auto& [name, tensor] : dump) {
            if (tensor.dtype != DType::float32) {
                narrow[name] = tensor;
                continue;
            }
            StoredTensor& rounded = narrow[name] = {name, tensor.shape, DType::bfloat16, {}};
            for (const float number : floats(dump, name)) {
                const std::uint16_t bits = bfloat16_of(number);
                rounded.bytes.push_back(static_cast<std::byte>(bits & 255));
                rounded.bytes.push_back(static_cast<std::byte>(bits >> 8));
            }
        }
        return narrow;
    };
    const std::string graph = R"({"format": "byhand-graph", "version": 1, "steps": [
      {"result": "n", "operation": "layer_norm", "inputs": ["h", "gain", "bias"],
       "attributes": {"normalized_shape": [3], "eps": 1e-3}}]})";
    const auto with_norm = [&](float epsilon) {
        Dump dump = in_16_bits(run_mlp());
        Dump wide;
        for (const char* name : {"h", "gain", "bias"}) {
            const View view{name, dump[name].shape, DType::bfloat16, dump[name].bytes.data()};
            std::vector<float> numbers;
            for (std::size_t i = 0; i < count(view.shape); ++i) {
                numbers.push_back(static_cast<float>(value_at(view, i)));
            }
            put(wide, name, view.shape, numbers);
        }
        const std::vector<float> h = floats(wide, "h"), gain = floats(wide, "gain"), bias = floats(wide, "bias");
        std::vector<float> n;
        for (std::size_t i = 0; i < 5; ++i) {
            const float mean = (h[3 * i] + h[3 * i + 1] + h[3 * i + 2]) / 3;
            float variance = 0;
            for (std::size_t j = 0; j < 3; ++j) {
                variance += (h[3 * i + j] - mean) * (h[3 * i + j] - mean) / 3;
            }
            for (std::size_t j = 0; j < 3; ++j) {
                n.push_back((h[3 * i + j] - mean) / std::sqrt(variance + epsilon) * gain[j] + bias[j]);
            }
        }
        put(wide, "n", {5, 3}, n);
        dump["n"] = in_16_bits(wide)["n"];
        return dump;
    };
    const Trace right = traced(with_norm(1e-3F), run_mlp(), graph);
    const std::string text = to_text(trace_document(right), {.width = 120});
    INFO(text);
    CHECK(agree(right));
    CHECK(culprits(traced(with_norm(3e-2F), graph)) == Names{"n"});
}

TEST_CASE("a zero's sign is a program's own affair: copies, and sums into zeros") {
    const std::string graph = R"({"format": "byhand-graph", "version": 1, "gradients": "grad.{}", "steps": [
      {"result": "y", "operation": "view", "inputs": ["x"], "attributes": {"shape": [4]}},
      {"result": "z", "operation": "relu", "inputs": ["y"]}]})";
    Dump dump;
    put(dump, "x", {2, 2}, {1, -1, 2, -0.0F});
    put(dump, "y", {4}, {1, -1, 2, 0});
    put(dump, "z", {4}, {1, 0, 2, -0.0F});
    put(dump, "grad.z", {4}, {-1, -1, 3, 3});
    put(dump, "grad.y", {4}, {-1, -0.0F, 3, 0});
    put(dump, "grad.x", {2, 2}, {-1, 0, 3, 0});
    CHECK(agree(traced(dump, graph)));
    put(dump, "grad.x", {2, 2}, {-1, 0.5F, 3, 0});
    CHECK(culprits(traced(dump, graph)) == Names{"grad.x"});
}

TEST_CASE("a reference of another network is refused, and what it lacks is counted") {
    Dump other;
    put(other, "somewhere", {2}, {1, 2});
    CHECK_THROWS_AS(traced(run_mlp(), other), InputError);
    CHECK_THROWS_AS(traced(other), InputError);
    Dump less = run_mlp();
    less.erase("t");
    const Trace found = traced(run_mlp(), less);
    CHECK(found.not_in_b == Names{"t"});
    CHECK(to_text(trace_document(found), {.width = 120}).find("not compared with B: 1 tensor, which B lacks: t") !=
          std::string::npos);
}

TEST_CASE("a tensor of a wrong shape is the culprit, and what reads it is not judged") {
    Dump dump = run_mlp();
    put(dump, "h", {3, 5}, floats(dump, "h"));
    const Trace found = traced(dump, run_mlp());
    CHECK(culprits(found) == Names{"h"});
    CHECK(unjudged(found) > 0);
    Dump weights = run_mlp();
    put(weights, "W1", {7, 3}, floats(weights, "W1"));
    CHECK(culprits(traced(weights, run_mlp())) == Names{"W1"});
    Dump nan = run_mlp();
    std::vector<float> x = floats(nan, "x");
    x[3] = std::nanf("");
    put(nan, "x", {5, 7}, x);
    REQUIRE(traced(nan).notes.size() == 1);
    CHECK(traced(nan).notes[0] == "x, an input of the graph, has NaN in a.npz");
}

TEST_CASE("in bfloat16 a gradient may be computed from the result that was kept, or anew") {
    const std::string graph = R"({"format": "byhand-graph", "version": 1, "gradients": "grad.{}", "steps": [
      {"result": "p", "operation": "softmax", "inputs": ["x"], "attributes": {"dim": -1}}]})";
    const std::vector<float> x = {0.5F, -1.25F, 2, 0.375F, 1.5F}, dp = {1, -2, 0.5F, 3, -1};
    const auto narrow = [](const std::string& name, const std::vector<double>& numbers) {
        StoredTensor tensor{name, {1, numbers.size()}, DType::bfloat16, {}};
        for (const double number : numbers) {
            const std::uint16_t bits = bfloat16_of(number);
            tensor.bytes.push_back(static_cast<std::byte>(bits & 255));
            tensor.bytes.push_back(static_cast<std::byte>(bits >> 8));
        }
        return tensor;
    };
    const auto gradient = [&](const std::vector<double>& p, bool without_sum = false) {
        double sum = 0;
        std::vector<double> dx;
        for (std::size_t i = 0; i < p.size(); ++i) {
            sum += without_sum ? 0 : p[i] * double{dp[i]};
        }
        for (std::size_t i = 0; i < p.size(); ++i) {
            dx.push_back(p[i] * (double{dp[i]} - sum));
        }
        return dx;
    };
    double total = 0;
    std::vector<double> exact, kept;
    for (const float one : x) {
        total += std::exp(double{one});
    }
    for (const float one : x) {
        exact.push_back(std::exp(double{one}) / total);
        kept.push_back(of_bfloat16(bfloat16_of(exact.back())));
    }
    Dump dump = {{"x", narrow("x", {x.begin(), x.end()})},
                 {"p", narrow("p", exact)},
                 {"grad.p", narrow("grad.p", {dp.begin(), dp.end()})}};
    for (const std::vector<double>& p : {exact, kept}) {
        dump["grad.x"] = narrow("grad.x", gradient(p));
        const Trace found = traced(dump, graph);
        CHECK(agree(found));
        CHECK(agrees(found.model.values.back().isolated->verdict()));
    }
    dump["grad.x"] = narrow("grad.x", gradient(kept, true));
    CHECK(culprits(traced(dump, graph)) == Names{"grad.x"});
}

TEST_CASE("a page has the network, with the culprit and where its error goes, and the errors of each tensor") {
    const Trace found = traced(run_mlp({.epsilon = 1e-5}), run_mlp(), kGraph, true);
    const std::string page = to_html(trace_document(found));
    const std::string n = part_of(details_of(page, "n"), "", "id=\"", "\"");
    const std::string t = part_of(details_of(page, "t"), "", "id=\"", "\"");
    const std::string culprit = part_of(page, "", "<a class=\"box culprit\" href=\"#" + n + "\"", "</a>");
    CHECK(culprit.find("✗ n</text>") != std::string::npos);
    const std::string heir = part_of(page, "", "<a class=\"box heir\" href=\"#" + t + "\"", "</a>");
    CHECK(heir.find("inherited from n") != std::string::npos);
    // From the lower edge of one to the upper edge of the other, in their middle.
    const double from = std::stod(part_of(culprit, "", " y=\"", "\"")) + 22,
                 to = std::stod(part_of(heir, "", " y=\"", "\""));
    CHECK(part_of(page, "", "<path class=\"wire bad\" d=\"", "\"").find(fmt::format("M81 {}V{}m", from, to)) !=
          std::string::npos);
    CHECK(part_of(page, "", "<path class=\"wire\" d=\"", "\"").find("M81 ") != std::string::npos);
    CHECK(page.find("<title>an input of the graph</title>") == std::string::npos);  // all of them are compared with B

    // Of the culprit's errors against LibTorch, and of what inherits them against B.
    CHECK(details_of(page, "n").find("aria-label=\"heatmap of n\"") != std::string::npos);
    CHECK(details_of(page, "n").find(">LibTorch</th>") != std::string::npos);
    CHECK(details_of(page, "t").find("aria-label=\"heatmap of t\"") != std::string::npos);
    CHECK(details_of(page, "t").find(">B</th>") != std::string::npos);
    CHECK(details_of(page, "t").find(" over the limit") != std::string::npos);
    CHECK(details_of(page, "b1").find(" over the limit") == std::string::npos);
    CHECK(details_of(page, "x").find("heatmap") == std::string::npos);
    CHECK(page.find("<details open=\"open\"><summary><span>n, details") != std::string::npos);

    const std::string link = "href=\"#";
    std::size_t links = 0;
    for (std::size_t at = page.find(link); at != std::string::npos; at = page.find(link, at + 1)) {
        const std::string id = page.substr(at + link.size(), page.find('"', at + link.size()) - at - link.size());
        INFO(id);
        CHECK(page.find(" id=\"" + id + "\"") != std::string::npos);
        ++links;
    }
    CHECK(links > 50);

    const std::string alone = to_html(trace_document(traced(run_mlp())));
    CHECK(alone.find("<title>an input of the graph</title>") != std::string::npos);
    CHECK(alone.find("heatmap") == std::string::npos);
}

TEST_CASE("of a large graph only what is around the culprit is drawn") {
    std::string steps;
    Dump a;
    put(a, "x", {2}, {1, 2});
    for (int i = 0; i < 200; ++i) {
        const std::string before = i == 0 ? "x" : fmt::format("s{}", i - 1);
        steps += fmt::format(R"({}{{"result": "s{}", "operation": "relu", "inputs": ["{}"]}})", i == 0 ? "" : ",", i,
                             before);
        put(a, fmt::format("s{}", i), {2}, {1, 2});
    }
    const std::string graph = R"({"format": "byhand-graph", "version": 1, "steps": [)" + steps + "]}";
    const std::string right = to_html(trace_document(traced(a, graph)));
    CHECK(right.find("Not drawn: none of its 201 rows is off.") != std::string::npos);
    CHECK(right.find("<svg") == std::string::npos);
    put(a, "s100", {2}, {1, 3});  // the next step is wrong on that
    const std::string page = to_html(trace_document(traced(a, graph)));
    for (const char* name : {"s99", "✗ s100", "✗ s101", "s102"}) {
        INFO(name);
        CHECK(page.find(fmt::format("{}</text>", name)) != std::string::npos);
    }
    CHECK(page.find("s98</text>") == std::string::npos);
    CHECK(page.find("Of 201 rows only those around what is off are drawn.") != std::string::npos);
}

TEST_CASE("what can't be judged is counted, with the reason") {
    const std::string graph = with(kGraph, "\"tanh\"", "\"tanhh\"");
    const Trace found = traced(run_mlp(), run_mlp(), graph);
    const std::string text = to_text(trace_document(found), {.width = 200});
    INFO(text);
    CHECK(agree(found));
    CHECK(unjudged(found) == 2);  // t, and the gradient of n
    CHECK(text.find("no operation tanhh is known; the nearest is tanh") != std::string::npos);

    Dump incomplete = run_mlp();
    incomplete.erase("grad.r");
    incomplete.erase("b1");
    const Trace less = traced(incomplete);
    CHECK(unjudged(less) == 6);  // h and the gradients of x, W1 and b1, which need b1; those of t and n
}

TEST_CASE("an explicit vector-Jacobian product is judged as a step") {
    std::string graph = with(kGraph, "\"gradients\": \"grad.{}\",", "");
    graph = with(graph, "[\"logits\", \"y\"]}", R"(["logits", "y"]},
      {"result": "grad.W2", "operation": "linear", "inputs": ["r", "W2", "b2"], "vjp": {"of": 1, "gradient": "grad.logits"}})");
    const Trace found = traced(run_mlp(), graph);
    CHECK(agree(found));
    CHECK(found.judged == 7);
    Dump wrong = run_mlp();
    put(wrong, "grad.W2", {4, 3}, std::vector<float>(12, 0.5F));
    CHECK(culprits(traced(wrong, graph)) == Names{"grad.W2"});
}

TEST_CASE("a shape that does not fit names the step") {
    Dump dump = run_mlp();
    put(dump, "W1", {3, 6}, std::vector<float>(18, 0.5F));
    try {
        traced(dump);
        FAIL("not refused");
    } catch (const InputError& error) {
        const std::string what = error.what();
        INFO(what);
        CHECK(
            what.starts_with("graph.json: steps[0] (h): the reference does not accept inputs of (5, 7), (3, 6), (3)"));
    }
}

}  // namespace byhand
