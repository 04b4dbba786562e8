#include "harness/limits/monte_carlo.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>

#include "base/change_network.h"
#include "harness/drawn.h"
#include "harness/hand_made.h"
#include "manual/networks.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

using namespace byhand;

namespace {

constexpr std::size_t kElements = 3;  // of b1
constexpr double kUnit = 0x1p-24;
constexpr double kFactor = 1.1F;  // a number that float has

template <class T>
void subtract(T* y, const T* a, const T* b) {
    for (std::size_t i = 0; i < kElements; ++i) {
        y[i] = a[i] - b[i];
    }
}
template <class T>
void first_minus_second(T* y, const T* x) {
    y[0] = x[0] - x[1];
}
template <class T>
void inverse(T* y, const T* x) {
    y[0] = static_cast<T>(1) / x[0];
}

Graph chain() {
    Graph net = test::empty_network();
    add(net.forward, "same", {kElements}, {"b1"}, BYHAND_FUNCTION(test::copy), kElements);
    add(net.forward, "scaled", {kElements}, {"same"}, BYHAND_FUNCTION(test::times), kElements, kFactor);
    add(net.forward, "copied", {kElements}, {"scaled"}, BYHAND_FUNCTION(test::copy), kElements);
    add(net.forward, "amplified", {kElements}, {"copied"}, BYHAND_FUNCTION(test::times), kElements, 1024.0);
    add(net.forward, "squared", {kElements}, {"amplified"}, BYHAND_FUNCTION(test::square), kElements);
    add(net.backward, "other", {kElements}, {"b1"}, BYHAND_FUNCTION(test::times), kElements, kFactor);
    add(net.backward, "nothing", {kElements}, {"copied", "scaled"}, BYHAND_FUNCTION(subtract));
    add(net.backward, "apart", {kElements}, {"scaled", "other"}, BYHAND_FUNCTION(subtract));
    add(net.backward, "neighbours", {}, {"scaled"}, BYHAND_FUNCTION(first_minus_second));
    return net;
}

std::map<std::string, std::vector<double>> limits(const std::vector<float>& b1, const MonteCarloConfig& config = {},
                                                  const Graph& graph = chain()) {
    const NetworkConfig network = test::small_network();
    Tensors<float> state(byhand::state(network));
    for (const TensorSpec& spec : state.table()) {
        std::ranges::fill(state[spec.name], 0.5F);
    }
    std::ranges::copy(b1, state["b1"].begin());
    const std::vector<std::int64_t> X = {1, 2, 3}, Y = {3, 2, 1};
    return chain_limits(graph, state, {3, X.data(), Y.data()}, 0.1F, config);
}

// P(|t| > x) for even degrees ν, θ = atan(x/√ν): 1 − sin θ·(1 + cos²θ/2 + 1·3/(2·4)·cos⁴θ + …)
// (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.4).
long double tail(int degrees, double x) {
    const long double theta = std::atan(static_cast<long double>(x) / std::sqrt(static_cast<long double>(degrees)));
    const long double cosine2 = std::cos(theta) * std::cos(theta);
    long double term = 1, sum = 1;
    for (int k = 2; k <= degrees - 2; k += 2) {
        term *= cosine2 * static_cast<long double>(k - 1) / static_cast<long double>(k);
        sum += term;
    }
    return 1 - std::sin(theta) * sum;
}

// What is right in the forward and backward lists.
Tensors<double> exact_values(const Graph& graph, const Tensors<float>& state, const Batch& batch) {
    Runner<double> right(graph);
    copy_into(right.tensors(), state);
    right.set_batch(batch);
    right.forward();
    right.backward();
    return right.tensors();
}

// The sum over all rows in float, first of the even ones, then of the odd ones.
float in_another_order(std::size_t rows, const std::function<float(std::size_t)>& term) {
    float sum = 0;
    for (const std::size_t first : {0, 1}) {
        for (std::size_t i = first; i < rows; i += 2) {
            sum += term(i);
        }
    }
    return sum;
}

}  // namespace

TEST_CASE("Monte Carlo limits: Student's t as it is tabulated") {
    // NIST/SEMATECH e-Handbook of Statistical Methods, section 1.3.6.7.2: upper critical values, so p is halved there.
    struct Row {
        std::size_t degrees;
        double at_0_05, at_0_025, at_0_005;
    };
    for (const Row& row : {Row{1, 6.314, 12.706, 63.657}, Row{2, 2.920, 4.303, 9.925}, Row{5, 2.015, 2.571, 4.032},
                           Row{10, 1.812, 2.228, 3.169}, Row{30, 1.697, 2.042, 2.750}, Row{100, 1.660, 1.984, 2.626}}) {
        INFO(row.degrees << " degrees of freedom");
        CHECK(std::abs(student_t(row.degrees, 0.1) - row.at_0_05) < 0.0006);
        CHECK(std::abs(student_t(row.degrees, 0.05) - row.at_0_025) < 0.0006);
        CHECK(std::abs(student_t(row.degrees, 0.01) - row.at_0_005) < 0.0006);
    }
}

TEST_CASE("Monte Carlo limits: Student's t far out, where no table goes") {
    for (const int degrees : {8, 16, 32, 64}) {
        for (const double p : {1e-3, 1e-6, 1e-9, 1e-12}) {
            INFO(degrees << " degrees of freedom, p = " << p);
            const auto there = static_cast<double>(tail(degrees, student_t(static_cast<std::size_t>(degrees), p)));
            CHECK(std::abs(there / p - 1) < 1e-5);
        }
    }
    // Closed forms of the quantile itself.
    CHECK(std::abs(student_t(1, 1e-6) / (2e6 / std::acos(-1.0)) - 1) < 1e-9);
    CHECK(std::abs(student_t(2, 1e-12) / 1e6 - 1) < 1e-9);
}

TEST_CASE("Monte Carlo limits: what is exact has no limit to spare, what is rounded once has about a unit of itself") {
    const std::vector<float> b1 = {0.7F, -3.3F, 0};
    const auto all = limits(b1);
    const double t = student_t(32, 1e-12);
    CHECK(all.size() == 9);
    for (std::size_t i = 0; i < kElements; ++i) {
        INFO(i);
        const double size = std::abs(static_cast<double>(b1[i])) * kFactor;
        CHECK(all.at("same")[i] == 0);
        // A uniform rounding has the deviation u/√3; moved by itself and with the others, √2 of that.
        const double expected = t * size * kUnit * std::sqrt(2.0 / 3);
        CHECK(all.at("scaled")[i] >= 0.6 * expected);
        CHECK(all.at("scaled")[i] <= 1.45 * expected);
        CHECK(all.at("copied")[i] == all.at("scaled")[i]);
        // A factor of a power of two adds nothing of its own.
        CHECK(std::abs(all.at("amplified")[i] - 1024 * all.at("scaled")[i]) <= 1e-6 * all.at("amplified")[i]);
        // Twice the relative error, and a rounding more.
        CHECK(all.at("squared")[i] >= 1.2 * 1024 * 1024 * size * expected);
        CHECK(all.at("squared")[i] <= 3.5 * 1024 * 1024 * size * expected);
        // The same error twice goes out, two errors of their own do not.
        CHECK(all.at("nothing")[i] == 0);
        CHECK(all.at("apart")[i] >= 0.6 * std::sqrt(2.0) * expected);
        CHECK(all.at("apart")[i] <= 1.6 * std::sqrt(2.0) * expected);
    }
}

TEST_CASE("Monte Carlo limits: what float can't hold has no finite limit, nor has what is made of it") {
    const auto all = limits({1e25F, 0.5F, -1e30F});
    CHECK(std::isfinite(all.at("scaled")[0]));
    CHECK_FALSE(std::isfinite(all.at("squared")[0]));
    CHECK(std::isfinite(all.at("squared")[1]));
    CHECK_FALSE(std::isfinite(all.at("squared")[2]));
    const auto large = limits({3.3e38F, 0.5F, 0.5F});
    CHECK_FALSE(std::isfinite(large.at("scaled")[0]));
    CHECK_FALSE(std::isfinite(large.at("apart")[0]));
    CHECK(std::isfinite(large.at("scaled")[1]));
}

// The difference may be 0, so its inverse may be any number: a square of that is not negative, but no better known.
TEST_CASE("Monte Carlo limits: a square of what may be out of range has no finite limit, nor has what is made of it") {
    Graph graph = chain();
    add(graph.backward, "inverse", {}, {"neighbours"}, BYHAND_FUNCTION(inverse));
    add(graph.backward, "inverse_squared", {}, {"inverse"}, BYHAND_FUNCTION(test::square), std::size_t{1});
    add(graph.backward, "inverse_squared_copied", {}, {"inverse_squared"}, BYHAND_FUNCTION(test::copy), std::size_t{1});
    graph.ranges["inverse_squared"] = kNotNegative;
    const std::vector<const char*> made = {"inverse", "inverse_squared", "inverse_squared_copied"};
    const auto near_0 = limits({0.5F, 0.5F - 0x1p-24F, 0.5F}, {}, graph);
    const auto far = limits({0.5F, 0.25F, 0.5F}, {}, graph);
    for (const char* name : made) {
        CAPTURE(name);
        CHECK_FALSE(std::isfinite(near_0.at(name)[0]));
        CHECK(std::isfinite(far.at(name)[0]));
    }
    CHECK(std::isfinite(near_0.at("neighbours")[0]));
}

TEST_CASE("Monte Carlo limits: below float's normal numbers the limit covers what float loses") {
    const float tiny = 0x1.8p-75F;
    const auto all = limits({tiny * 0x1p-64F, tiny, 0.5F});
    for (std::size_t i = 0; i < 2; ++i) {
        const float x = i == 0 ? tiny * 0x1p-64F : tiny;
        const double error = std::abs(static_cast<double>(x * 1.1F) - static_cast<double>(x) * kFactor);
        CHECK(all.at("scaled")[i] >= error);
    }
}

TEST_CASE("Monte Carlo limits: the same seed gives the same limits, more runs a smaller factor") {
    const std::vector<float> b1 = {0.7F, -3.3F, 0.1F};
    CHECK(limits(b1) == limits(b1));
    CHECK(limits(b1, {.seed = 2}).at("apart") != limits(b1).at("apart"));
    CHECK(limits(b1, {.runs = 200}).at("apart")[0] < limits(b1, {.runs = 8}).at("apart")[0]);
    CHECK(limits(b1, {.false_alarm = 1e-3}).at("apart")[0] < limits(b1).at("apart")[0]);
}

TEST_CASE("Monte Carlo limits: the errors of one step's elements are partly alike") {
    // Equal elements are rounded alike: of their difference is left what the oracle, which need not round them alike,
    // may do to it in double. (That is a unit or two of double itself, and rounded by it.)
    const auto equal = limits({0.7F, 0.7F, 0.1F}, {.runs = 2000});
    const double in_double = 0x1p-29 * equal.at("scaled")[0] * std::sqrt(2 / 1.25);
    CHECK(std::abs(equal.at("neighbours")[0] / in_double - 1) < 0.25);
    // Of two that are not equal each is moved by itself, and half as much both together: the difference shows the one
    // part only, √2 of it, against √(1 + ¼) of each.
    const auto all = limits({0.7F, std::nextafter(0.7F, 1.0F), 0.1F}, {.runs = 2000});
    CHECK(std::abs(all.at("neighbours")[0] / all.at("scaled")[0] - std::sqrt(2 / 1.25)) < 0.1);
}

TEST_CASE("Monte Carlo limits: equal rows summed in another order are within the limit of any order") {
    NetworkConfig config = test::small_network();
    test::set(config, &ShortForm::hidden, {3});
    test::set(config, &ShortForm::norm_place, "none");
    const std::size_t rows = 16'001;
    std::vector<std::int64_t> X(rows * config.context), Y(rows);
    for (std::size_t i = 0; i < rows; ++i) {  // two contexts by turns
        std::fill_n(X.begin() + static_cast<std::ptrdiff_t>(i * config.context), config.context, 1 + i % 2);
        Y[i] = 2;
    }
    const Batch batch{rows, X.data(), Y.data()};
    const Tensors<float> state = drawn_state(config, 7);
    const Graph graph = collapsed_graph(config, rows);
    const Tensors<double> right = exact_values(graph, state, batch);
    const auto limits = chain_limits(graph, state, batch, 0.1F, {}, {.deviations = {}, .any_order = true});
    const std::span<const double> x = right["embcat"], dy = right["dhpreact"];
    const std::size_t in = x.size() / rows, out = dy.size() / rows;
    std::size_t beyond_our_order = 0;
    const auto ours = chain_limits(graph, state, batch, 0.1F, {});
    for (std::size_t kj = 0; kj < in * out; ++kj) {
        const float sum = in_another_order(rows, [&](std::size_t i) {
            return static_cast<float>(x[i * in + kj / out]) * static_cast<float>(dy[i * out + kj % out]);
        });
        const double error = std::abs(static_cast<double>(sum) - right["dW1"][kj]);
        CAPTURE(kj);
        CHECK(error <= limits.at("dW1")[kj]);
        beyond_our_order += error <= ours.at("dW1")[kj] ? 0 : 1;
    }
    CHECK(beyond_our_order > 0);  // or it shows nothing
}

TEST_CASE(
    "Monte Carlo limits: where no two rows are equal, equal windows summed in another order are within the limit of "
    "any") {
    NetworkConfig config = test::small_network();
    config.vocabulary = 23;
    config.context = 4;
    test::set(config, &ShortForm::flatten, 2);
    test::set(config, &ShortForm::hidden, {3, 1});
    test::set(config, &ShortForm::norm_place, "before");
    const std::size_t rows = 12'001, windows = 2 * rows;
    std::vector<std::int64_t> X(rows * config.context, 1), Y(rows);
    for (std::size_t i = 0; i < rows; ++i) {  // the first window is the same everywhere; the second and Y differ
        X[i * config.context + 2] = static_cast<std::int64_t>(i % 23);
        X[i * config.context + 3] = static_cast<std::int64_t>(i / 23 % 23);
        Y[i] = static_cast<std::int64_t>(i / 529);
    }
    const Batch batch{rows, X.data(), Y.data()};
    const Tensors<float> state = drawn_state(config, 7);
    const Graph graph = collapsed_graph(config, rows);
    const Tensors<double> right = exact_values(graph, state, batch);
    const auto limits = chain_limits(graph, state, batch, 0.1F, {}, {.deviations = {}, .any_order = true});
    const std::span<const double> x = right["hprebn.1"];
    for (std::size_t j = 0; j < 3; ++j) {
        const float sum = in_another_order(windows, [&](std::size_t i) { return static_cast<float>(x[i * 3 + j]); });
        const double mean = static_cast<double>(sum) / static_cast<double>(windows);
        CAPTURE(j);
        CHECK(std::abs(mean - right["bnmeani.1"][j]) <= limits.at("bnmeani.1")[j]);
    }
}

// The gradient of a bias before a batch norm is 0 but for rounding, so √v̂ may be off by more than it is; it exists all
// the same, and the step by it has a limit: some tenths of the rate where the noise is as large as ε.
TEST_CASE("Monte Carlo limits: the root of a mean of squares has a limit, however far that is off") {
    NetworkConfig config = networks::small({601, 5});
    config.optimizer.kind = OptimizerKind::adamw;
    networks::Example example = networks::make(config, 33);
    for (const TensorSpec& spec : optimizer_state(config)) {
        std::ranges::fill(example.state[spec.name], 0.0F);
    }
    constexpr float kRate = 0.125F;
    const auto limits = chain_limits(stepwise_graph(config, 33), example.state, example.batch(), kRate, {});
    double largest = 0;
    for (const char* name : {"new_b1", "new_b2", "new_W1", "new_vhat_b1"}) {
        for (const double limit : limits.at(name)) {
            CAPTURE(name, limit);
            CHECK(limit < 20.0 * static_cast<double>(kRate));
        }
    }
    for (const double limit : limits.at("new_b1")) {
        largest = std::max(largest, limit);
    }
    CHECK(largest > 0.01 * static_cast<double>(kRate));  // or it shows nothing
}

// Where all logits of a row are equal but for rounding, any of them may be the largest, and the gradient of the row's
// maximum, which is nothing but rounding, goes there.
TEST_CASE("Monte Carlo limits: among equal logits the gradient of the maximum may go to any") {
    networks::Example example = networks::make(networks::small({5}), 9);
    for (const char* name : {"W2", "b2"}) {
        std::ranges::fill(example.state[name], 0.0F);
    }
    const Graph graph = stepwise_graph(example.config, 9);
    const auto limits = chain_limits(graph, example.state, example.batch(), 0.1F, {});
    const std::size_t V = example.config.vocabulary;
    double largest = 0;
    for (std::size_t i = 0; i < limits.at("dlogits").size(); ++i) {
        CHECK(limits.at("dlogits")[i] >= limits.at("dlogit_maxes")[i / V]);
        largest = std::max(largest, limits.at("dlogit_maxes")[i / V]);
    }
    CHECK(largest > 0);  // or it shows nothing
}
