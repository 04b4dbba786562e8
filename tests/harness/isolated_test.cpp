// Isolated steps: each verdict, on hand-made steps.
#include "harness/isolated/isolated.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <string>

#include "harness/hand_made.h"
#include "harness/results.h"

using namespace byhand;
using test::FakeReferenceOperations;

namespace {

constexpr std::size_t kElements = 7;
constexpr float kFactor = 1.1F;

template <class T>
void copy(T* y, const T* x) {
    test::copy(y, x, kElements);
}
template <class T>
void scale(T* y, const T* x) {
    test::times(y, x, kElements, double{kFactor});
}
template <class T>
void square(T* y, const T* x) {
    test::square(y, x, kElements);
}
template <class T>
void sum_up(T* y, const T* x) {
    std::fill_n(y, kElements, std::accumulate(x, x + kElements, T(0)));
}
double scaled(double x) {
    return x * static_cast<double>(kFactor);
}

// One step, y ← x, judged by `right` and by the reference operation `exact`.
struct Trials {
    template <class T>
    using Run = std::function<void(T* y, const T* x)>;

    std::shared_ptr<FakeReferenceOperations> reference_operations = std::make_shared<FakeReferenceOperations>();
    Isolation isolation{.right = {test::empty_network(), reference_operations}};

    Trials(void (*right)(Rounded*, const Rounded*), double (*exact)(double)) {
        add(isolation.right.graph.forward, "y", {kElements}, {"x"}, "right", right);
        reference_operations->add("y", {{"x", {kElements}}}, test::element_by_element("x", exact));
    }

    // Without a function in double it is not judged there.
    IsolatedStep run(const Run<float>& ours, std::vector<float> x, const Run<double>& in_double = {}) {
        Graph network = test::empty_network();
        Step step{"y", {kElements}, {"x"}, function("ours", ours), {}, {}};
        if (in_double) {
            step.in_double = function("ours", in_double);
        }
        network.forward = {step};
        const std::vector<View> reference = {{"x", {kElements}, DType::float32, x.data()},
                                             {"y", {kElements}, DType::float32, x.data()}};
        StepInputs inputs(reference, network.config.vocabulary, 1);
        const std::vector<IsolatedStep> all = run_isolated(network, isolation, inputs);
        REQUIRE(all.size() == 1);
        CHECK(all[0].makes == "y");
        CHECK(all[0].function == "ours");
        CHECK(all[0].reads == std::vector<std::string>{"x"});
        return all[0];
    }

private:
    template <class T>
    static Function<T> function(const char* name, const Run<T>& run) {
        return {name, [run](T* y, Reads<T> reads) { run(y, numbers(reads, 0)); }};
    }
};

const std::vector<float> kData = {0.5F, -1.25F, 3, 0.0625F, -7, 0.3F, 11};

// The right factor; then `spoil` changes the result.
template <class Spoil>
IsolatedStep spoiled(Spoil spoil, const std::vector<float>& data = kData) {
    const auto run = [&](float* y, const float* x) {
        scale<float>(y, x);
        spoil(y, x);
    };
    return Trials(scale, scaled).run(run, data);
}

}  // namespace

TEST_CASE("isolated step: exact and within") {
    const IsolatedStep same = Trials(copy, [](double x) { return x; }).run(copy<float>, kData);
    CHECK(same.trials.size() == 2);
    for (const Trial& trial : same.trials) {
        CHECK(trial.verdict == Verdict::exact);
        CHECK(trial.error == 0);
        CHECK(trial.used == 0);
        CHECK(trial.scale > 0);
    }
    CHECK(same.on_batch().scale == 11);
    CHECK_FALSE(same.wrong());

    const IsolatedStep rounded = Trials(scale, scaled).run(scale<float>, kData);
    for (const Trial& trial : rounded.trials) {
        CHECK(trial.verdict == Verdict::within);
        CHECK(trial.error > 0);
        CHECK(trial.used > 0);
        REQUIRE(trial.used.has_value());
        CHECK(*trial.used <= 1);
        CHECK(trial.limit > 0);
        CHECK(trial.limit <= 1.01 * 0x1p-24 * std::abs(*trial.worst->right) * 2);
        CHECK(trial.catches > 0x1p-24);
        CHECK(trial.catches < 0x1p-21);
    }
    CHECK_FALSE(rounded.wrong());
}

TEST_CASE("isolated step: one element off by two units is a mismatch, with its index") {
    for (const float sign : {1.0F, -1.0F}) {
        const IsolatedStep step = spoiled([&](float* y, const float*) { y[4] *= 1 + sign * 0x1p-22F; });
        CHECK(step.on_batch().verdict == Verdict::mismatch);
        CHECK(step.on_batch().worst->position == 4);
        CHECK(step.on_batch().used > 1);
        CHECK(step.on_batch().error > step.on_batch().limit);
        CHECK(step.on_batch().worst->right == scaled(-7));
        CHECK(step.wrong());
        CHECK_FALSE(test::reported(step).without_effect());
    }
}

TEST_CASE("isolated step: an error of the reported size is caught in every element") {
    const Trial right = Trials(scale, scaled).run(scale<float>, kData).on_batch();
    const auto caught = static_cast<float>(1.01 * *right.catches * *right.scale);
    for (std::size_t i = 0; i < kElements; ++i) {
        const IsolatedStep step = spoiled([&](float* y, const float*) { y[i] += caught; });
        CHECK(step.on_batch().verdict == Verdict::mismatch);
        CHECK(step.on_batch().worst->position == i);
    }
}

TEST_CASE("isolated step: unwritten elements are detected, all or some, also beside another mistake") {
    const IsolatedStep nothing = Trials(scale, scaled).run([](float*, const float*) {}, kData);
    CHECK(nothing.on_batch().verdict == Verdict::unwritten);
    CHECK(nothing.on_random().verdict == Verdict::unwritten);
    CHECK(nothing.on_batch().nothing_written);
    CHECK(nothing.on_random().nothing_written);
    CHECK(nothing.wrong());
    const auto all_but_the_last = [](float* y, const float* x) {
        for (std::size_t i = 0; i + 1 < kElements; ++i) {
            y[i] = i == 2 ? std::numeric_limits<float>::quiet_NaN() : x[i];
        }
    };
    const IsolatedStep last = Trials(scale, scaled).run(all_but_the_last, kData);
    CHECK(last.on_batch().verdict == Verdict::unwritten);
    CHECK(last.on_batch().worst->position == kElements - 1);
    CHECK_FALSE(last.on_batch().nothing_written);
}

TEST_CASE("isolated step: a NaN or an infinity of our own") {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        const IsolatedStep step = spoiled([&](float* y, const float*) { y[5] = bad; });
        CHECK(step.on_batch().verdict == Verdict::non_finite);
        CHECK(step.on_batch().worst->position == 5);
        CHECK(step.wrong());
    }
}

TEST_CASE("isolated step: an overflow of float is out of range, not a culprit, and does not hide a mistake") {
    std::vector<float> data = kData;
    data[1] = 3e30F;
    const auto squared = [](double x) { return x * x; };
    const IsolatedStep step = Trials(square, squared).run(square<float>, data);
    CHECK(step.on_batch().verdict == Verdict::out_of_range);
    CHECK(step.on_batch().worst->position == 1);
    CHECK(step.on_random().verdict == Verdict::within);
    CHECK_FALSE(step.wrong());
    const auto almost_square = [](float* y, const float* x) {
        square<float>(y, x);
        y[6] *= 1.0001F;
    };
    const IsolatedStep wrong = Trials(square, squared).run(almost_square, data);
    CHECK(wrong.on_batch().verdict == Verdict::mismatch);
    CHECK(wrong.on_batch().worst->position == 6);
}

TEST_CASE("isolated step: all zeros are vacuous on real data, and the probe decides") {
    const std::vector<float> zeros(kElements);
    const IsolatedStep step = Trials(scale, scaled).run(scale<float>, zeros);
    CHECK(step.on_batch().verdict == Verdict::vacuous);
    CHECK(step.on_random().verdict == Verdict::within);
    CHECK_FALSE(step.wrong());
    const auto negate = [](float* y, const float* x) { std::transform(x, x + kElements, y, std::negate<>()); };
    const IsolatedStep wrong = spoiled(negate, zeros);
    CHECK(wrong.wrong());
    CHECK(test::reported(wrong).without_effect());
}

TEST_CASE("isolated step: a mistake hidden by identities of real data is wrong without effect") {
    // Off by the sum of all, which is zero on this batch.
    const std::vector<float> balanced = {1, -1, 2, -2, 4, -8, 4};
    const auto plus_sum = [](float* y, const float* x) {
        const float sum = std::accumulate(x, x + kElements, 0.0F);
        std::transform(x, x + kElements, y, [sum](float number) { return number + sum; });
    };
    const IsolatedStep step = Trials(copy, [](double x) { return x; }).run(plus_sum, balanced);
    CHECK(step.on_batch().verdict == Verdict::exact);
    CHECK(step.on_random().verdict == Verdict::mismatch);
    CHECK(step.wrong());
    CHECK(test::reported(step).without_effect());
}

TEST_CASE("isolated step: a step that overwrites its input is wrong, even if its result is right") {
    const IsolatedStep step = spoiled([](float*, const float* x) { const_cast<float*>(x)[3] = 17; });
    CHECK(step.on_batch().verdict == Verdict::mismatch);
    CHECK(step.on_batch().note == "overwrites x, which it reads");
    CHECK(step.wrong());
}

TEST_CASE("isolated step: out-of-bounds writes and additions are detected, and out-of-bounds reads give NaN") {
    const auto also = [](const auto& outside) {
        return spoiled([&](float* y, const float* x) { outside(y, const_cast<float*>(x)); }).on_batch();
    };
    const std::string past_result = "writes past the end of its result", past_read = "overwrites x, which it reads";
    CHECK(also([](float* y, float*) { y[kElements] = 3; }).note == past_result);
    CHECK(also([](float* y, float*) { y[kElements + 6] += 3; }).note == past_result);
    CHECK(also([](float* y, float*) { y[-1] *= -1; }).note == past_result);
    CHECK(also([](float*, float* x) { x[-2] = 3; }).note == past_read);
    CHECK(also([](float*, float*) {}).verdict == Verdict::within);
    CHECK(also([](float* y, const float* x) { y[6] = x[kElements]; }).verdict == Verdict::non_finite);
}

TEST_CASE("isolated step: a function that throws is a mismatch with its message, and the others are judged") {
    const IsolatedStep step =
        Trials(scale, scaled).run([](float*, const float*) { throw std::runtime_error("goes to x(9)"); }, kData);
    CHECK(step.on_batch().verdict == Verdict::mismatch);
    CHECK(step.on_batch().note == "goes to x(9)");
    CHECK(step.wrong());
    CHECK_FALSE(test::reported(step).without_effect());
}

TEST_CASE("isolated step: a reference result of another size is a mismatch") {
    Trials trials(copy, [](double x) { return x; });
    trials.reference_operations->add("y", {{"x", {kElements}}}, [](const std::vector<View>& values) {
        std::vector<double> all = test::numbers(values, "x");
        all.push_back(0);
        return all;
    });
    const IsolatedStep step = trials.run(copy<float>, kData);
    CHECK(step.on_batch().verdict == Verdict::shape);
    CHECK(step.wrong());
}

TEST_CASE("isolated step: sums in another order are judged by that order's bound if allowed") {
    const auto total = [](const std::vector<View>& values) {
        const std::vector<double> x = test::numbers(values, "x");
        return std::vector<double>(kElements, std::accumulate(x.begin(), x.end(), 0.0));
    };
    const float little = 0x1p-24F * (1 + 0x1p-10F);
    const std::vector<float> data = {little, little, little, little, little, little, 1};
    for (const Leeway leeway : {Leeway::none, Leeway::order, Leeway::words}) {
        Trials trials(sum_up<Rounded>, [](double x) { return x; });
        trials.reference_operations->add("y", {{"x", {kElements}}}, total);
        trials.isolation.leeway = leeway;
        CHECK(agrees(trials.run(sum_up<float>, data).on_batch().verdict));
        const auto from_the_last = [](float* y, const float* x) {
            std::vector<float> reversed(x, x + kElements);
            std::ranges::reverse(reversed);
            sum_up(y, static_cast<const float*>(reversed.data()));
        };
        const IsolatedStep backwards = trials.run(from_the_last, data);
        CHECK(backwards.on_batch().verdict == (leeway == Leeway::none ? Verdict::mismatch : Verdict::within));
    }
}

TEST_CASE("isolated step: an equivalent formula may round up to four times as much, in float and in double") {
    const std::vector<float> data = {0.3F, -1.7F, 3.3F, 0.07F, -7.1F, 0.9F, 11.3F};  // no product is exact
    // Off by so many last places; the right product is off by half a one at most.
    const auto off_by = []<class T>(T* y, const T* x, int places) {
        for (std::size_t i = 0; i < kElements; ++i) {
            const T product = x[i] * T{kFactor};
            y[i] = product + static_cast<T>(places) * (std::nextafter(product, 2 * product) - product);
        }
    };
    struct Case {
        Leeway leeway;
        int in_float, in_double;
        bool wrong;
    };
    for (const Case& one :
         {Case{Leeway::order, 0, 0, false}, Case{Leeway::order, 1, 0, true}, Case{Leeway::words, 1, 0, false},
          Case{Leeway::words, 6, 0, true}, Case{Leeway::order, 0, 2, true}, Case{Leeway::words, 0, 2, false},
          Case{Leeway::words, 0, 9, true}}) {
        INFO(static_cast<int>(one.leeway) << ": " << one.in_float << " and " << one.in_double << " places");
        Trials trials(scale, scaled);
        trials.isolation.leeway = one.leeway;
        const IsolatedStep step = trials.run([&](float* y, const float* x) { off_by(y, x, one.in_float); }, data,
                                             [&](double* y, const double* x) { off_by(y, x, one.in_double); });
        CHECK(step.wrong() == one.wrong);
    }
}

TEST_CASE("isolated step: our double is compared with the reference at double precision") {
    for (const double factor : {static_cast<double>(kFactor), 1.1}) {  // the second is right to float precision only
        const IsolatedStep step = Trials(scale, scaled).run(scale<float>, kData, [factor](double* y, const double* x) {
            test::times(y, x, kElements, factor);
        });
        CHECK(step.on_batch().verdict == Verdict::within);
        const bool right = factor == static_cast<double>(kFactor);
        REQUIRE(step.trials.size() == 4);
        for (const std::size_t in_double : {2, 3}) {
            CHECK(step.trials[in_double].in_double);
            CHECK(agrees(step.trials[in_double].verdict) == right);
        }
        CHECK(step.wrong() == !right);
    }
}

TEST_CASE("isolated step: steps without a reference operation or a right step are left out, others keep their order") {
    Graph network = test::empty_network();
    const auto reference_operations = std::make_shared<FakeReferenceOperations>();
    Isolation isolation{.right = {test::empty_network(), reference_operations}};
    for (const std::string name : {"d", "c", "b", "a"}) {
        add(network.forward, name, {kElements}, {"x"}, BYHAND_FUNCTION(copy));
        if (name != "c") {
            add(isolation.right.graph.forward, name, {kElements}, {"x"}, BYHAND_FUNCTION(copy));
        }
        if (name != "b") {
            reference_operations->add(name, {{"x", {kElements}}},
                                      test::element_by_element("x", [](double x) { return x; }));
        }
    }
    const std::vector<View> reference = {{"x", {kElements}, DType::float32, kData.data()}};
    StepInputs inputs(reference, network.config.vocabulary, 1);
    const std::vector<IsolatedStep> all = run_isolated(network, isolation, inputs);
    REQUIRE(all.size() == 2);
    CHECK(all[0].makes == "d");
    CHECK(all[1].makes == "a");
}
