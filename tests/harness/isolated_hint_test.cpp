// The hint of a mismatch's trial, and what a culprit inherits of it.
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "harness/hand_made.h"
#include "harness/isolated/isolated.h"
#include "harness/results.h"
#include "judge/owned.h"

using namespace byhand;
using test::Owned;
using test::times;

namespace {

constexpr std::size_t kElements = 15;

template <class T>
void last_row_left_out(T* out, const T* x, std::size_t elements) {
    for (std::size_t i = 0; i < elements; ++i) {
        out[i] = i + 5 < elements ? T(3) * x[i] : T(0);
    }
}

// dy (3, 5) ← dx in a network of 7 rows. `function` as add takes it.
Graph network(auto... function) {
    Graph made;
    made.rows = 7;
    add(made.backward, "dy", {3, 5}, {"dx"}, function...);
    return made;
}

// Where right·dx is right.
IsolatedStep run(const Graph& ours, const std::vector<float>& values, double right = 3) {
    const auto operations = std::make_shared<test::FakeReferenceOperations>();
    operations->add("dy", {{"dx", {3, 5}}}, test::element_by_element("dx", [right](double x) { return right * x; }));
    const Isolation isolation{.right = {network(BYHAND_FUNCTION(times), kElements, right), operations}};
    const Owned<float> x{"dx", {3, 5}, values}, y{"dy", {3, 5}, values};
    StepInputs inputs({x.view(), y.view()}, 27, 11);
    return run_isolated(ours, isolation, inputs).at(0);
}

IsolatedStep scaled(double factor, const std::vector<float>& values, double right = 3) {
    return run(network("times", times<float>, kElements, factor), values, right);
}

const std::vector<float> kValues = {0.1F, -0.7F, 0.3F, 0.9F,  -0.2F, 0.6F, 0.8F, -0.5F,
                                    0.4F, 1.1F,  0.7F, -1.3F, 0.2F,  0.5F, 0.15F};

}  // namespace

TEST_CASE("isolated step: a hint shows how it is off, on the batch's values and on random ones") {
    const IsolatedStep less = scaled(3 * 6.0 / 7, kValues);
    CHECK(less.wrong());
    CHECK(less.verdict() == Verdict::mismatch);
    CHECK(less.shape == Shape{3, 5});
    CHECK(less.on_batch().hint == "off by the factor 6/7 = (n − 1)/n: n against n − 1");  // n are the network's rows
    CHECK(less.on_random().hint == less.on_batch().hint);

    const Graph left_out = network("left_out", last_row_left_out<float>, kElements);
    CHECK(run(left_out, kValues).on_batch().hint == "only the last row is off: all zero");

    const IsolatedStep right = scaled(3, kValues);
    CHECK_FALSE(right.wrong());
    CHECK(right.on_batch().hint.empty());
    CHECK(right.on_random().hint.empty());
}

TEST_CASE("a culprit knows its shape, and on which values it was caught") {
    const ValueReport seen = test::reported(scaled(-3, kValues));
    REQUIRE(seen.role.kind == Role::Kind::culprit);
    CHECK(seen.shape == Shape{3, 5});
    CHECK_FALSE(seen.isolated->not_on_batch());
    CHECK(seen.evidence()->hint == "the negative of the right answer");

    // Nothing times anything is nothing: only the probe sees it.
    const IsolatedStep on_zeros = scaled(-3, std::vector<float>(15, 0.0F));
    CHECK(on_zeros.on_batch().verdict == Verdict::vacuous);
    const ValueReport unseen = test::reported(on_zeros);
    REQUIRE(unseen.role.kind == Role::Kind::culprit);
    CHECK(unseen.isolated->not_on_batch());
    CHECK(unseen.without_effect());
    CHECK(unseen.why() == "on random values");
}

TEST_CASE("isolated step: with all limits 0 the worst element is the one with the largest error") {
    const Trial trial = scaled(2, kValues, 1).on_batch();
    CHECK(trial.verdict == Verdict::mismatch);
    CHECK(trial.worst->position == 11);  // -1.3
}
