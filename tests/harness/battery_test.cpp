// The battery catches what neither a batch nor one random draw shows, on a step made by hand.
#include "harness/isolated/battery.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <set>

#include "base/change_network.h"
#include "harness/hand_made.h"
#include "harness/isolated/isolated.h"
#include "harness/isolated/shrink.h"
#include "harness/results.h"

using namespace byhand;
using test::FakeReferenceOperations;

namespace {

// h (n, H) ← x (n, H): h = x·|x|, the numbers of a linear's shape in a network of that size.
template <class T>
void right(T* h, const T* x, std::size_t elements) {
    for (std::size_t i = 0; i < elements; ++i) {
        h[i] = x[i] * (x[i] < T(0) ? -x[i] : x[i]);
    }
}

using Run = void (*)(float* h, const float* x, std::size_t elements);

const NetworkConfig kNetwork = test::network(7, 2, 3, {.hidden = {5}});

// `function` as add takes it: a name and a function on one type of numbers or on each.
Graph network(const NetworkConfig& config, std::size_t rows, auto... function) {
    Graph made = test::empty_network();
    made.config = config;
    made.rows = rows;
    const std::size_t H = test::widths(config)[0];
    add(made.forward, "x", {rows, H}, {"Y"}, BYHAND_FUNCTION(test::nothing));
    add(made.forward, "h", {rows, H}, {"x"}, function..., rows * H);
    return made;
}

Graph right_network(const NetworkConfig& config, std::size_t rows) {
    return network(config, rows, BYHAND_FUNCTION(right));
}

std::shared_ptr<const ReferenceOperations> operations(const NetworkConfig& config, std::size_t rows) {
    auto reference_operations = std::make_shared<FakeReferenceOperations>();
    reference_operations->add("h", {{"x", {rows, test::widths(config)[0]}}},
                              test::element_by_element("x", [](double x) { return x * std::abs(x); }));
    return reference_operations;
}

// `further` are functions that make it at the battery's sizes, besides.
IsolatedStep judged(Run function, const std::map<const char*, Run>& further = {},
                    void (*in_double)(double* h, const double* x, std::size_t elements) = nullptr) {
    constexpr std::size_t kRows = 4, kElements = 20;
    const Form form{right_network, operations};
    const auto with_function = [&](const NetworkConfig& sized, std::size_t rows) {
        Graph all = network(sized, rows, "other", function);
        if (in_double != nullptr) {
            all.forward.back().in_double = network(sized, rows, "other", in_double).forward.back().in_double;
        }
        return all;
    };
    const auto at_size = [&](const NetworkConfig& sized, std::size_t rows) {
        Graph all = with_function(sized, rows);
        for (const auto& [name, one] : further) {
            all.forward.push_back(network(sized, rows, name, one).forward.back());
        }
        return all;
    };
    const Isolation isolation{.right = form.at(kNetwork, kRows),
                              .battery = std::make_shared<Battery>(kNetwork, 1, form),
                              .judged_at_size = at_size,
                              .form = form};
    std::vector<float> x(kElements);
    for (std::size_t i = 0; i < x.size(); ++i) {
        x[i] = 0.5F + 0.01F * static_cast<float>(i);
    }
    StepInputs inputs({{"x", {kRows, 5}, DType::float32, x.data()}, {"h", {kRows, 5}, DType::float32, x.data()}}, 7, 1);
    const Graph ours = with_function(kNetwork, kRows);
    std::vector<IsolatedStep> all = run_isolated(ours, isolation, inputs);
    REQUIRE(all.size() == 1);
    return std::move(all[0]);
}

// The right function, then Spoil()(h[i], x, i) for each h[i]. A function pointer carries no data, so Spoil has none.
template <class Spoil>
Run spoiled(Spoil) {
    return [](float* h, const float* x, std::size_t elements) {
        right(h, x, elements);
        for (std::size_t i = 0; i < elements; ++i) {
            h[i] = Spoil()(h[i], x, i);
        }
    };
}

void expect_caught(Run function, const std::string& on) {
    const IsolatedStep step = judged(function);
    CHECK(step.wrong());
    CHECK_FALSE(fails(step.on_batch().verdict));
    CHECK_FALSE(fails(step.on_random().verdict));
    CHECK(step.not_on_batch());
    REQUIRE(step.telling() != nullptr);
    CHECK(step.telling()->on.find(on) != std::string::npos);
    // Made small: a wrong element, and what else the step needs to be wrong.
    const SmallestInput* smallest = step.telling()->smallest.get();
    REQUIRE(smallest != nullptr);
    CHECK(fails(smallest->made.trial.verdict));
    CHECK(smallest->values["x"].size() <= 4);
}

}  // namespace

TEST_CASE("battery: a right step is right on all of it") {
    const IsolatedStep step = judged(right<float>);
    CHECK_FALSE(step.wrong());
    CHECK(test::battery_size(step) > 15);
    CHECK(std::ranges::all_of(step.trials, [](const Trial& trial) { return *trial.used <= 1; }));
}

TEST_CASE("battery: of several functions that make a name each is judged, and the wrong one is named") {
    const auto wrong = [](float* h, const float* x, std::size_t elements) {
        right(h, x, elements);
        h[elements - 1] += 1;
    };
    const auto blamed = [&](const IsolatedStep& step) {
        REQUIRE(step.wrong());
        CHECK(step.function == "other");
        REQUIRE(step.telling()->smallest != nullptr);
        CHECK(step.telling()->smallest->values["x"].size() == 1);
        return test::reported(step);
    };
    const IsolatedStep all_right = judged(right<float>, {{"third", right<float>}, {"other (wide)", right<float>}});
    CHECK_FALSE(all_right.wrong());
    CHECK(test::battery_size(all_right) == 3 * test::battery_size(judged(right<float>)));
    const ValueReport third = blamed(judged(right<float>, {{"third (wide)", wrong}}));
    CHECK(third.wrong_function() == "third");
    CHECK(third.why().ends_with("rows: random values (wide)"));
    const ValueReport same = blamed(judged(right<float>, {{"other (wide)", wrong}}));
    CHECK(same.wrong_function() == "other");
    CHECK(same.why().ends_with("rows: random values (wide)"));
}

TEST_CASE("battery: a step that is wrong on the batch has a small input too") {
    const IsolatedStep step = judged([](float* h, const float* x, std::size_t elements) {
        right(h, x, elements);
        h[0] += 1;
    });
    CHECK_FALSE(step.not_on_batch());
    REQUIRE(step.telling()->smallest != nullptr);
    CHECK(step.telling()->smallest->values["x"].size() == 1);
}

TEST_CASE("battery: other sizes show a loop that forgets its remainder") {
    expect_caught(
        [](float* h, const float* x, std::size_t elements) {
            right(h, x, elements);
            if (elements % 4 != 0) {
                h[elements - 1] = 0;
            }
        },
        "rows: random values");
}

TEST_CASE("battery: values of each kind show what happens only there") {
    const std::pair<Run, const char*> wrong[] = {
        // Clipped, also far out; flushed to zero; at zero only.
        {spoiled([](float h, const float*, std::size_t) { return std::clamp(h, -100.0F, 100.0F); }), "1e6"},
        {spoiled([](float h, const float*, std::size_t) { return std::clamp(h, -1e30F, 1e30F); }), "1e18"},
        {spoiled([](float h, const float*, std::size_t) { return std::abs(h) < 1e-10F ? 0 : h; }), "1e-6"},
        {spoiled([](float h, const float* x, std::size_t i) { return x[i] == 0 ? 1e-5F : h; }), "zeros"},
        // A small difference is taken for none.
        {spoiled([](float h, const float* x, std::size_t i) {
             return std::abs(x[i] - x[0]) < 1e-5F * std::abs(x[0]) ? x[0] * std::abs(x[0]) : h;
         }),
         "close to each other"},
        // The second of two maxima in a row.
        {spoiled([](float h, const float* x, std::size_t i) {
             const bool again = std::find(x + i - std::min<std::size_t>(i, 14), x + i, x[i]) != x + i;
             return again && x[i] == 1.25F ? 0 : h;
         }),
         "ties"}};
    for (const auto& [function, on] : wrong) {
        INFO(on);
        expect_caught(function, on);
    }
}

TEST_CASE("battery: a function in double that reads floats is found, and the small input has a double's digits") {
    const auto in_double = [](double* h, const double* x, std::size_t elements) {
        for (std::size_t i = 0; i < elements; ++i) {
            const auto read = static_cast<double>(static_cast<float>(x[i]));
            h[i] = read * std::abs(read);
        }
    };
    const IsolatedStep step = judged(right<float>, {}, in_double);
    REQUIRE(step.wrong());
    CHECK(step.only_in_double());
    REQUIRE(step.telling()->smallest != nullptr);
    const double x = step.telling()->smallest->values["x"][0];
    CHECK(x != static_cast<double>(static_cast<float>(x)));
    CHECK_FALSE(judged(right<float>, {}, right<double>).wrong());
}

TEST_CASE("battery: sizes are unequal, odd and even, and every class can be a target") {
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        std::size_t classes = 0;
        NetworkConfig wide = kNetwork;
        wide.vocabulary = 97;
        test::set(wide, &ShortForm::hidden, {100, 200});
        wide.norm.batch_divisor = wide.norm.running_divisor = divisor;
        std::set<std::size_t> rows, widths;
        const std::vector<NetworkSize> sizes = battery_sizes(wide);
        for (const NetworkSize& size : sizes) {
            CHECK(test::widths(size.network).size() == 2);
            CHECK(test::widths(size.network)[0] != size.rows);
            CHECK(size.network.norm == wide.norm);
            check_network(size.network, size.rows);
            rows.insert(size.rows);
            widths.insert(test::widths(size.network)[0]);
            classes = std::max(classes, size.network.vocabulary);
        }
        CHECK(rows.contains(1) == (divisor == Divisor::n));
        for (const std::size_t n : {2U, 3U, 5U, 7U, 15U, 17U, 31U, 33U, 64U, 128U}) {
            CHECK(rows.contains(n));
        }
        for (const std::size_t H : {1U, 7U, 8U, 9U, 15U, 16U, 17U, 31U, 33U, 64U}) {
            CHECK(widths.contains(H));
        }
        for (const std::size_t most : {*rows.rbegin(), *widths.rbegin(), classes}) {
            CHECK(most > 256);  // no byte holds them
        }
        CHECK(sizes.back().network.vocabulary == 97);
    }
}

TEST_CASE("battery: widths that residual connections and tied weights share stay equal, and no others are") {
    NetworkConfig config = kNetwork;
    test::set(config, &ShortForm::hidden, {5, 5, 3, 3, 9});
    config.embedding = 9;
    add_residuals(config.layers);
    config.layers.back().tied = true;
    for (const NetworkSize& size : battery_sizes(config)) {
        const std::vector<std::size_t> hidden = test::widths(size.network);
        CHECK(hidden[0] == hidden[1]);
        CHECK(hidden[2] == hidden[3]);
        CHECK(hidden[1] != hidden[2]);
        CHECK(hidden[4] == size.network.embedding);
        CHECK(operations(size.network).size() == operations(config).size());
        check_network(size.network, size.rows);
    }
    OperationConfig tied{op::kLinear};
    tied.tied = true;
    config = with_layers({.context = 1, .embedding = 5, .norm = {}}, {tied});
    for (const NetworkSize& size : battery_sizes(config)) {
        check_network(size.network, size.rows);
    }
}
