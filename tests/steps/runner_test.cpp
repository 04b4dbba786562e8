// The runner of steps: what it refuses, and which steps it runs.
#include "steps/runner.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <stdexcept>

#include "byhand/rounded.h"
#include "manual/embedding/formulas.h"
#include "manual/networks.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

void add_one(double* out, const double* in) {
    *out = *in + 1;
}
void sum(double* out, const double* a, const double* b) {
    *out = *a + *b;
}

// A network without steps: the inputs are X, Y, rate and the state of config.
Graph empty() {
    return {networks::small({1}), 2, {}, {}, {}, {}};
}

}  // namespace

TEST_CASE("runner: a step that reads an unknown value is refused, with its name") {
    Graph net = empty();
    add(net.forward, "a", {}, {"b"}, "add_one", add_one);
    CHECK_THROWS_MATCHES(Runner<double>(net), std::logic_error,
                         Catch::Matchers::Message("a reads b, which no step makes"));
}

TEST_CASE("runner: a step that runs before its input is computed reads the previous contents") {
    Graph net = empty();
    add(net.forward, "a", {}, {"b"}, "add_one", add_one);
    add(net.forward, "b", {}, {"rate"}, "add_one", add_one);
    Runner<double> runner(net);
    runner.set_rate(10);
    runner.tensors()["b"][0] = 100;
    runner.forward();
    CHECK(runner.tensors()["a"][0] == 101);
    CHECK(runner.tensors()["b"][0] == 11);
}

TEST_CASE("runner: forward_from runs steps that may depend on a name, and never the one that computes it") {
    Graph net = empty();
    add(net.forward, "a", {}, {"rate"}, "add_one", add_one);
    add(net.forward, "b", {}, {"rate"}, "add_one", add_one);
    add(net.forward, "c", {}, {"a", "b"}, "sum", sum);
    add(net.forward, "d", {}, {"c", "a"}, "sum", sum);
    Runner<double> runner(net);
    const auto value = [&](const char* name) { return runner.tensors()[name][0]; };
    runner.set_rate(10);
    runner.forward();
    runner.tensors()["a"][0] = 100;
    runner.tensors()["b"][0] = 1;  // does not depend on a, and is not recomputed
    runner.forward_from("a");
    CHECK(value("a") == 100);
    CHECK(value("b") == 1);
    CHECK(value("c") == 101);
    CHECK(value("d") == 201);
    runner.tensors()["c"][0] = 7;
    runner.forward_from("c");
    CHECK(value("c") == 7);
    CHECK(value("d") == 107);
    runner.forward_from("rate");  // an input
    CHECK(value("d") == 33);
    runner.forward_from("d");  // not read by any step
    CHECK(value("d") == 33);
}

TEST_CASE("runner: two steps with one result name are refused, in one list or two, or if it is an input") {
    Graph net = empty();
    add(net.forward, "a", {}, {"rate"}, "add_one", add_one);
    add(net.forward, "a", {}, {"rate"}, "add_one", add_one);
    CHECK_THROWS_MATCHES(Runner<double>(net), std::logic_error, Catch::Matchers::Message("two steps make a"));

    Graph across = empty();
    add(across.forward, "a", {}, {"rate"}, "add_one", add_one);
    add(across.update, "a", {}, {"rate"}, "add_one", add_one);
    CHECK_THROWS_AS(Runner<double>(across), std::logic_error);

    for (const std::string given : {"W1", "rate", "bnvar_running"}) {
        INFO(given);
        Graph over = empty();
        add(over.forward, given, {}, {"rate"}, "add_one", add_one);
        CHECK_THROWS_AS(Runner<double>(over), std::logic_error);
    }
}

TEST_CASE("runner: each list runs separately and in order, on the results of earlier lists") {
    Graph net = empty();
    add(net.forward, "a", {}, {"rate"}, "add_one", add_one);
    add(net.forward, "b", {}, {"a"}, "add_one", add_one);
    add(net.forward, "c", {}, {"a", "b"}, "sum", sum);
    add(net.backward, "d", {}, {"c"}, "add_one", add_one);
    add(net.update, "e", {}, {"d", "rate"}, "sum", sum);
    Runner<double> runner(net);
    const auto value = [&](const char* name) { return runner.tensors()[name][0]; };
    const auto unwritten = [&](const char* name) { return is_unwritten(runner.tensors()[name].data()); };

    runner.set_rate(10);
    runner.forward_to("b");
    CHECK(value("b") == 12);
    CHECK(unwritten("c"));
    runner.forward();
    CHECK(value("c") == 23);
    CHECK(unwritten("d"));
    runner.backward();
    CHECK(value("d") == 24);
    CHECK(unwritten("e"));
    runner.update();
    CHECK(value("e") == 34);
}

TEST_CASE("runner: the batch is copied, and Y may be omitted") {
    const networks::Example example = networks::make(networks::small({5}), 4);
    Runner<double> runner(evaluation_graph(example.config, 4));
    copy_into(runner.tensors(), example.state);
    {
        std::vector<std::int64_t> X = example.X;
        runner.set_batch({4, X.data(), nullptr});
        std::ranges::fill(X, 0);
    }
    runner.forward();
    std::vector<double> expected(example.X.size() * 2);
    embedding_forward(expected.data(), runner.tensors()["C"].data(), example.X.data(), 12, 2);
    const auto emb = runner.tensors()["emb"];
    CHECK(std::equal(emb.begin(), emb.end(), expected.begin()));
}

namespace {

template <class T>
void twice_plus(T* out, const T* a, const T* b, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = T(2) * a[i] + b[i];
    }
}
template <class T>
void product(T* out, const T* b, const T* c, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        out[i] = b[i] * c[i];
    }
}

}  // namespace

TEST_CASE("sum_of: one step adds the results of its terms, and reads each value once") {
    StepList terms;
    add(terms, "dx", {3}, {"a", "b"}, BYHAND_FUNCTION(twice_plus), std::size_t{3});
    add(terms, "dx", {3}, {"b", "c"}, BYHAND_FUNCTION(product), std::size_t{3});
    terms.back().operation = 4;
    const Step sum = sum_of(terms);
    CHECK(sum.makes == "dx");
    CHECK(sum.reads == std::vector<std::string>{"a", "b", "c"});
    CHECK(sum.in_float.name == "twice_plus + product");
    CHECK(sum.operation == 4);
    const std::vector<double> a = {1, 2, -3}, b = {0.5, 4, 7}, c = {10, -1, 0.25};
    std::vector<double> out(3, 99);
    const auto operand = [&](const std::string& name) -> Operand<double> {
        return name == "a" ? a.data() : name == "b" ? b.data() : c.data();
    };
    execute<double>(sum, out.data(), operand);
    CHECK(out == std::vector<double>{2.5 + 5, 8 - 4, 1 + 1.75});

    // The sum of a function that exists only in double has no other.
    StepList in_double;
    add(in_double, "y", {}, {"rate"}, "add_one", add_one);
    const Step alone = sum_of(in_double);
    CHECK(alone.in_double.run);
    CHECK_FALSE(alone.in_float.run);
}
