#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "harness/hand_made.h"
#include "harness/isolated/isolated.h"
#include "harness/results.h"
#include "judge/owned.h"

// The hint of a mismatch's trial, and what a culprit inherits of it.

using namespace byhand;
using test::Owned;
using test::times;

namespace {

// The reference operation dy = 3·dx, for all values.
class Tripled final : public ReferenceOperations {
public:
    std::vector<std::string> names() const override { return {"dy"}; }
    std::vector<TensorSpec> reads(const std::string&) const override { return {{"dx", {3, 5}}}; }
    std::vector<double> evaluate(const std::string&, const std::vector<View>& values) const override {
        const View& x = *find(values, "dx");
        std::vector<double> y;
        for (std::size_t i = 0; i < count(x.shape); ++i) {
            y.push_back(3 * value_at(x, i));
        }
        return y;
    }
};

template <class T>
void last_row_left_out(T* out, const T* x, std::size_t elements) {
    for (std::size_t i = 0; i < elements; ++i) {
        out[i] = i + 5 < elements ? T(3) * x[i] : T(0);
    }
}

Graph network() {
    Graph made;
    made.rows = 7;
    return made;
}

IsolatedStep run(const Graph& ours, const std::vector<float>& values) {
    Isolation isolation{.right = {network(), std::make_shared<Tripled>()}};
    add(isolation.right.graph.backward, "dy", {3, 5}, {"dx"}, BYHAND_FUNCTION(times), std::size_t{15}, 3.0);
    const Owned<float> x{"dx", {3, 5}, values}, y{"dy", {3, 5}, values};
    StepInputs inputs({x.view(), y.view()}, 27, 11);
    return run_isolated(ours, isolation, inputs).at(0);
}

IsolatedStep scaled(double factor, const std::vector<float>& values) {
    Graph ours = network();
    add(ours.backward, "dy", {3, 5}, {"dx"}, "times", times<float>, std::size_t{15}, factor);
    return run(ours, values);
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

    Graph ours = network();
    add(ours.backward, "dy", {3, 5}, {"dx"}, "left_out", last_row_left_out<float>, std::size_t{15});
    CHECK(run(ours, kValues).on_batch().hint == "only the last row is off: all zero");

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
    Graph ours = network();
    add(ours.backward, "dy", {3, 5}, {"dx"}, "times", times<float>, std::size_t{15}, 2.0);
    class Copied final : public ReferenceOperations {
    public:
        std::vector<std::string> names() const override { return {"dy"}; }
        std::vector<TensorSpec> reads(const std::string&) const override { return {{"dx", {3, 5}}}; }
        std::vector<double> evaluate(const std::string&, const std::vector<View>& values) const override {
            std::vector<double> x;
            for (std::size_t i = 0; i < 15; ++i) {
                x.push_back(value_at(*find(values, "dx"), i));
            }
            return x;
        }
    };
    Isolation isolation{.right = {network(), std::make_shared<Copied>()}};
    add(isolation.right.graph.backward, "dy", {3, 5}, {"dx"}, BYHAND_FUNCTION(times), std::size_t{15}, 1.0);
    const Owned<float> x{"dx", {3, 5}, kValues}, y{"dy", {3, 5}, kValues};
    StepInputs inputs({x.view(), y.view()}, 27, 11);
    const Trial trial = run_isolated(ours, isolation, inputs).at(0).on_batch();
    CHECK(trial.verdict == Verdict::mismatch);
    CHECK(trial.worst->position == 11);  // -1.3
}
