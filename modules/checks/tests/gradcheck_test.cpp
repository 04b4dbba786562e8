// The check by finite differences: that it passes what is right, by every convention, and finds what is not.
#include "checks/gradcheck.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <stdexcept>

#include "base/change_network.h"
#include "harness/drawn.h"
#include "manual/networks.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

using enum Verdict;

networks::Example drawn(const NetworkConfig& config, std::size_t rows, unsigned seed) {
    networks::Example example = networks::make(config, rows, seed);
    example.state = drawn_state(config, seed);
    return example;
}

std::vector<CheckedGradient> check(const Graph& network, const networks::Example& example,
                                   std::size_t elements = 1000) {
    return gradcheck(network, example.state, example.batch(), {.elements = elements, .seed = 3});
}

const CheckedGradient& named(const std::vector<CheckedGradient>& all, const std::string& name) {
    const auto found = std::ranges::find(all, name, &CheckedGradient::name);
    INFO(name);
    REQUIRE(found != all.end());
    return *found;
}

std::string first_wrong(const std::vector<CheckedGradient>& all) {
    for (const CheckedGradient& g : all) {
        if (!agrees(g.verdict)) {
            return g.name;
        }
    }
    return "";
}

Step& step_of(Graph& network, const std::string& makes) {
    for (StepList* list : {&network.forward, &network.backward}) {
        for (Step& step : *list) {
            if (step.makes == makes) {
                return step;
            }
        }
    }
    FAIL("no step makes " << makes);
    throw std::logic_error("unreachable");
}

using Made = std::span<double>;

// Lets `spoil` change what the step that makes `name` has made.
template <class Spoil>
Graph spoiled(const networks::Example& example, const std::string& name, Spoil spoil) {
    Graph network = stepwise_graph(example.config, example.rows);
    Step& step = step_of(network, name);
    step.in_double.run = [right = step.in_double.run, elements = count(step.shape), spoil](double* out,
                                                                                           Reads<double> reads) {
        right(out, reads);
        spoil(std::span<double>(out, elements), reads);
    };
    return network;
}

// ---- networks made by hand, over b1 of two elements ----

template <class T>
void copy2(T* out, const T* in) {
    std::copy_n(in, 2, out);
}
template <class T>
void larger(T* out, const T* a) {
    *out = a[0] < a[1] ? a[1] : a[0];
}
template <class T>
void first_larger_backward(T* da, const T* a) {
    da[0] = a[0] < a[1] ? T(0) : T(1);
    da[1] = a[0] < a[1] ? T(1) : T(0);
}
template <class T>
void first_only(T* out, const T* a) {
    *out = a[0] * a[0];
}
template <class T>
void first_only_backward(T* da, const T* a) {
    da[0] = T(2) * a[0];
    da[1] = 0;
}
template <class T>
void nothing(T* out, const T* /*a*/) {
    *out = 1;
}
template <class T>
void nothing_backward(T* da, const T* /*a*/) {
    da[0] = da[1] = 0;
}

NetworkConfig two_biases() {
    NetworkConfig config = networks::small({2});
    test::set(config, &ShortForm::norm_place, "none");
    return config;
}

// A function on every type of numbers, as BYHAND_FUNCTION names it.
struct OnEach {
    template <class T>
    using OfOne = void (*)(T* out, const T* in);

    const char* name;
    OfOne<float> in_float;
    OfOne<double> in_double;
    OfOne<Rounded> rounded;
};

Graph hand_made(const OnEach& loss, const OnEach& backward) {
    Graph net{two_biases(), 3, {}, {}, {}, {}};
    add(net.forward, "a", {2}, {"b1"}, BYHAND_FUNCTION(copy2));
    add(net.forward, "loss", {}, {"a"}, loss.name, loss.in_float, loss.in_double, loss.rounded);
    add(net.backward, "da", {2}, {"a"}, backward.name, backward.in_float, backward.in_double, backward.rounded);
    add(net.backward, "db1", {2}, {"da"}, BYHAND_FUNCTION(copy2));
    return net;
}

std::vector<CheckedGradient> check_by_hand(const Graph& net, float first, float second) {
    networks::Example example = drawn(two_biases(), 3, 5);
    example.state["b1"][0] = first;
    example.state["b1"][1] = second;
    return gradcheck(net, example.state, example.batch(), {});
}

}  // namespace

TEST_CASE("gradcheck: every convention of the norm agrees, stepwise and collapsed, and the check is sharp") {
    unsigned number = 0;
    double most = 0;
    for (const networks::PlacedNorm& norm : networks::norms()) {
        NetworkConfig config =
            networks::small(number % 3 == 0 ? std::vector<std::size_t>{5, 3} : std::vector<std::size_t>{7});
        networks::put(config, norm);
        test::set(config, &ShortForm::hidden_bias, number % 4 < 2);
        INFO(networks::describe(config, 5));
        const networks::Example example = drawn(config, 5, 300 + number);
        for (const bool collapsed : {false, true}) {
            const auto network = collapsed ? collapsed_graph(config, 5) : stepwise_graph(config, 5);
            const auto all = gradcheck(network, example.state, example.batch(), {.elements = 11, .seed = number});
            CHECK(first_wrong(all).empty());
            CHECK(all.size() == network.backward.size());
            for (const CheckedGradient& g : all) {
                INFO(g.name);
                CHECK(g.checked == std::min<std::size_t>(count(g.shape), 11));
                REQUIRE(g.used.has_value());
                CHECK(*g.used <= 1);
                if (g.verdict == within) {
                    CHECK(g.catches > 0);
                    CHECK(g.catches < 1e-3);
                }
                most = std::max(most, *g.used);
            }
        }
        ++number;
    }
    CAPTURE(most);
    CHECK(most > 0.001);  // else the limits are not of this world
}

TEST_CASE("gradcheck: what is zero in exact arithmetic is said to be so, and only that") {
    NetworkConfig config = networks::small({7});
    const networks::Example example = drawn(config, 5, 11);
    std::set<std::string> zero;
    for (const CheckedGradient& g : check(stepwise_graph(config, 5), example)) {
        if (g.verdict == zero_within_rounding) {
            zero.insert(g.name);
        }
    }
    CHECK(zero == std::set<std::string>{"dlogit_maxes", "db1"});

    // After the norm, or without one, a bias matters.
    test::set(config, &ShortForm::norm_place, "none");
    const networks::Example without = drawn(config, 5, 11);
    CHECK(named(check(stepwise_graph(config, 5), without), "db1").verdict == within);

    // A gradient that should be zero and is not.
    const auto shifted = spoiled(example, "db1", [](Made db, Reads<double>) { db[3] += 1e-6; });
    CHECK(first_wrong(check(shifted, example)) == "db1");
}

TEST_CASE("gradcheck: wrong steps are found, each where it stands") {
    const NetworkConfig config = networks::small({7});
    const std::size_t n = 5, H = 7, V = 7;
    const networks::Example example = drawn(config, n, 21);
    const auto finds = [&](const std::string& name, auto spoil) {
        INFO(name);
        const auto all = check(spoiled(example, name, spoil), example);
        CHECK(first_wrong(all) == name);
        CHECK(named(all, name).verdict == mismatch);
        CHECK(named(all, name).used > 1);
    };
    // n for n − 1
    finds("dbndiff2", [](Made made, Reads<double>) {
        for (double& x : made) {
            x *= 4.0 / 5;
        }
    });
    // the path through the variance forgotten: bnvar_inv·dbnraw alone
    finds("dbndiff", [=](Made made, Reads<double> reads) {
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] = numbers(reads, 1)[i % H] * numbers(reads, 0)[i];
        }
    });
    // the wrong sign
    finds("dbnmeani", [](Made made, Reads<double>) {
        for (double& x : made) {
            x = -x;
        }
    });
    // = for += where a character is used twice
    finds("dC", [&](Made made, Reads<double> reads) {
        const std::size_t E = 2;
        for (std::size_t i = 0; i < example.X.size(); ++i) {
            std::copy_n(numbers(reads, 0) + i * E, E, made.begin() + example.X[i] * static_cast<std::ptrdiff_t>(E));
        }
    });
    // one-hot off by one
    finds("dlogprobs", [=](Made made, Reads<double>) { std::rotate(made.begin(), made.begin() + 1, made.end()); });
    // tanh's derivative at the wrong value
    finds("dhpreact", [](Made made, Reads<double> reads) {
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] = numbers(reads, 0)[i] * (1 - numbers(reads, 1)[i]);
        }
    });
    // the last row left out
    finds("db2", [=](Made made, Reads<double> reads) {
        for (std::size_t j = 0; j < V; ++j) {
            made[j] -= numbers(reads, 0)[(n - 1) * V + j];
        }
    });
    // zeros
    finds("dW2", [](Made made, Reads<double>) { std::ranges::fill(made, 0.0); });
    // transposed, as far as it can be told: two elements exchanged
    finds("dW1", [](Made made, Reads<double>) { std::swap(made[1], made[H]); });
}

TEST_CASE("gradcheck: one element off by what it says it catches is caught, by a hundredth of that is not") {
    const NetworkConfig config = networks::small({7});
    const networks::Example example = drawn(config, 5, 31);
    const auto right = check(stepwise_graph(config, 5), example);
    for (const CheckedGradient& g : right) {
        if (g.verdict != within) {
            continue;
        }
        INFO(g.name);
        for (const double share : {1.0, 0.01}) {
            const double error = share * *g.catches * *g.scale;
            const auto network =
                spoiled(example, g.name, [&](Made made, Reads<double>) { made[made.size() / 2] += error; });
            CHECK(named(check(network, example), g.name).verdict == (share == 1.0 ? mismatch : within));
        }
    }
}

TEST_CASE("gradcheck: a wrong forward step contradicts its own gradient") {
    const NetworkConfig config = networks::small({7});
    const networks::Example example = drawn(config, 5, 41);
    // bnvar divided by n where the backward pass divides by n − 1
    const auto network = spoiled(example, "bnvar", [](Made made, Reads<double>) {
        for (double& x : made) {
            x *= 4.0 / 5;
        }
    });
    CHECK(first_wrong(check(network, example)) == "dbndiff2");
}

TEST_CASE("gradcheck: unwritten, not finite, and missing") {
    const NetworkConfig config = networks::small({7});
    const networks::Example example = drawn(config, 5, 51);
    Graph silent = stepwise_graph(config, 5);
    step_of(silent, "dW2").in_double.run = [](double*, Reads<double>) {};
    CHECK(named(check(silent, example), "dW2").verdict == unwritten);
    CHECK(named(check(silent, example), "db2").verdict == within);

    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
        const auto network = spoiled(example, "dW2", [=](Made made, Reads<double>) { made[5] = bad; });
        const CheckedGradient g = named(check(network, example), "dW2");
        CHECK(g.verdict == non_finite);
        CHECK(g.worst->position == 5);
    }

    Graph without = stepwise_graph(config, 5);
    std::erase_if(without.backward, [](const Step& step) { return step.makes == "db2"; });
    CHECK(named(check(without, example), "db2").verdict == missing);
}

TEST_CASE("gradcheck: at a kink nothing is decided, beside it everything is") {
    const Graph net = hand_made({BYHAND_FUNCTION(larger)}, {BYHAND_FUNCTION(first_larger_backward)});
    const auto tie = check_by_hand(net, 0.75F, 0.75F);
    CHECK(named(tie, "da").verdict == undecided);
    CHECK(named(tie, "db1").verdict == undecided);
    CHECK(named(tie, "db1").undecided == 2);
    const auto apart = check_by_hand(net, 0.75F, 0.25F);
    CHECK(named(apart, "da").verdict == within);
    // Nearer than the first steps that are tried.
    const auto close = check_by_hand(net, 0.75F, 0.75F + 0x1p-16F);
    CHECK(named(close, "da").verdict == within);
}

TEST_CASE("gradcheck: a step without a function on numbers that carry their errors is refused") {
    Graph net = hand_made({BYHAND_FUNCTION(larger)}, {BYHAND_FUNCTION(first_larger_backward)});
    net.backward.front().rounded = {};
    CHECK_THROWS_AS(check_by_hand(net, 0.75F, 0.25F), std::logic_error);
}

TEST_CASE("gradcheck: what is zero without any rounding is vacuous, unless something beside it is not") {
    const auto none =
        check_by_hand(hand_made({BYHAND_FUNCTION(nothing)}, {BYHAND_FUNCTION(nothing_backward)}), 0.75F, 0.25F);
    CHECK(named(none, "da").verdict == vacuous);
    CHECK_FALSE(agrees(vacuous));
    const auto half =
        check_by_hand(hand_made({BYHAND_FUNCTION(first_only)}, {BYHAND_FUNCTION(first_only_backward)}), 0.75F, 0.25F);
    CHECK(named(half, "da").verdict == within);
    CHECK(named(half, "dW2").verdict == missing);
}

TEST_CASE(
    "gradcheck: a sample is of the size that was asked for, the same again for the same seed, and not all zeros") {
    const NetworkConfig config = networks::small({31}, 11);
    const networks::Example example = drawn(config, 9, 61);
    const auto network = stepwise_graph(config, 9);
    const auto first = check(network, example, 5), again = check(network, example, 5);
    REQUIRE(first.size() == again.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        CHECK(first[i].checked == std::min<std::size_t>(5, count(first[i].shape)));
        CHECK(first[i].worst->position == again[i].worst->position);
        CHECK(first[i].error == again[i].error);
        CHECK(first[i].limit == again[i].limit);
    }
    // One in eleven is not zero there.
    CHECK(named(check(network, example, 2), "dlogprobs").verdict == within);
}
