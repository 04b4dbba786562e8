#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "byhand/view.h"
#include "lab/claims/claims.h"
#include "lab/figures.h"
#include "lab/tests/recipes.h"
#include "manual/models.h"
#include "manual/stepwise.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using lab_test::SmallNetwork;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Trained with_curve(std::vector<double> curve) {
    Trained trained;
    trained.curve = std::move(curve);
    return trained;
}

std::vector<double> values_of(const std::vector<View>& views, const std::string& name) {
    const View* view = find(views, name);
    REQUIRE(view != nullptr);
    std::vector<double> values(count(view->shape));
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = value_at(*view, i);
    }
    return values;
}

// The values of the collapsed network at a state.
struct Evaluated {
    std::unique_ptr<Model> implementation;
    std::vector<View> views;
};
Evaluated evaluate(const SmallNetwork& network, const Tensors<float>& state, double rate) {
    Evaluated made{make_step_model(collapsed_graph(network.config, network.Y.size()), Keep::all, DType::float64), {}};
    made.implementation->load(state);
    made.implementation->run(network.batch(), static_cast<float>(rate));
    made.views = made.implementation->views();
    return made;
}

// Those of the parameters that `names` says, updated.
Tensors<float> updated(const SmallNetwork& network, const std::vector<View>& views,
                       const std::vector<std::string>& names) {
    Tensors<float> state = network.initial();
    for (const std::string& name : names) {
        const std::vector<double> values = values_of(views, "new_" + name);
        for (std::size_t i = 0; i < values.size(); ++i) {
            state[name][i] = static_cast<float>(values[i]);
        }
    }
    return state;
}

double shift_of(const SmallNetwork& network, double rate) {
    Runner<double> runner(stepwise_graph(network.config, network.Y.size()));
    return covariate_shift(runner, network.initial(), network.batch(), rate);
}

}  // namespace

TEST_CASE("the final loss: the last fifth of a curve") {
    CHECK_THAT(final_loss(with_curve({9, 9, 9, 9, 9, 9, 9, 9, 2, 3})), WithinAbs(2.5, 1e-12));
    CHECK_THAT(final_loss(with_curve({9, 9, 4})), WithinAbs(4, 1e-12));
    CHECK(final_loss(with_curve({})) == kInfinity);
    Trained ended = with_curve({3, 2});
    ended.finite = false;
    CHECK(final_loss(ended) == kInfinity);
}

TEST_CASE("steps to a loss, or all of them") {
    Trained trained = with_curve({3, 2.5, 2.6, 2.4});
    CHECK(steps_to(trained, 2.5, 450) == 200);
    CHECK(steps_to(trained, 9, 450) == 100);
    CHECK(steps_to(trained, 2.3, 450) == 450);
    trained.finite = false;
    CHECK(steps_to(trained, 2.5, 450) == 450);
    CHECK(steps_to(with_curve({}), 2.5, 450) == 450);
}

TEST_CASE("the largest rate that trains") {
    const std::vector<double> rates = {0.25, 0.5, 1, 2};
    CHECK(largest_below(rates, {2.5, 2.4, 2.7, 9}, 2.8) == 1);
    CHECK(largest_below(rates, {2.5, 9, 2.7, kInfinity}, 2.8) == 1);
    CHECK(largest_below(rates, {2.5, std::nan(""), 2.8, 9}, 2.8) == 0.25);
    CHECK(largest_below(rates, {3, 3, 3, 3}, 2.8) == 0);
}

TEST_CASE("decades within a tolerance of the lowest, the crossings in proportion") {
    const std::vector<double> factors = {0.01, 0.1, 1, 10, 100};
    // From the lowest at 1: down to half way between 0.01 and 0.1, up to a quarter of the way to 100.
    CHECK_THAT(decades_within(factors, {2.08, 2.02, 2, 2.04, 2.08}, 0.05), WithinAbs(1.5 + 1.25, 1e-9));
    CHECK_THAT(decades_within(factors, {2, 2, 2, 2, 2}, 0.05), WithinAbs(4, 1e-12));
    CHECK_THAT(decades_within(factors, {9, 9, 2, 9, 9}, 0.07), WithinAbs(0.02, 1e-12));
    // A dip beyond a hill does not count; what is not finite ends it at the point before.
    CHECK_THAT(decades_within(factors, {2, 2.1, 2, 1.99, kInfinity}, 0.06), WithinAbs(1 + 0.05 / 0.1, 1e-9));
    CHECK(decades_within(factors, std::vector<double>(5, kInfinity), 0.05) == 0);
}

TEST_CASE("the loss of the characters' frequencies") {
    // Counts 3, 1, 0, one added to each: of 7, 4/7, 2/7, 1/7.
    CHECK_THAT(frequency_loss({0, 0, 1, 0}, {0, 2}, 3), WithinAbs(-(std::log(4.0 / 7) + std::log(1.0 / 7)) / 2, 1e-12));
}

TEST_CASE("how units wander, in their own deviations") {
    // Unit 1: mean 0, 2, deviation 1, 3. Unit 2: mean 5, 5, deviation 2, 2. Over two moments, divisor 1.
    const double wander = wander_of({{0, 5}, {2, 5}}, {{1, 2}, {3, 2}});
    CHECK_THAT(wander, WithinAbs(std::sqrt(2) / 4, 1e-12));
    // Ten times the scale: nothing changes.
    CHECK_THAT(wander_of({{0, 50}, {20, 50}}, {{10, 20}, {30, 20}}), WithinAbs(wander, 1e-12));
}

TEST_CASE("names divided by their initial") {
    const Split split{{U"ann", U"ben", U"clio", U"dora", U"emmanuel"}, {U"abe", U"fay"}, {U"carolina", U"di", U"ed"}};
    const ShiftedNames names = shifted_names(split, vocabulary_of({U"abcdefghijklmnopqrstuvwxyz"}), 2);
    CHECK(names.train.size() == 4 + 4 + 5);   // ann, ben, clio
    CHECK(names.own.size() == 4 + 9);         // abe, carolina
    CHECK(names.other.size() == 4 + 3 + 3);   // fay, di, ed
    CHECK(names.train.all().Y.front() == 1);  // a
}

TEST_CASE("a layer's shift: the gradient with the layers before it updated, and none else") {
    constexpr double kRate = 0.5;
    for (const std::string place : {"before", "after", "none"}) {
        SmallNetwork network;
        test::set(network.config, &ShortForm::norm_place, place);
        const bool norm = place != "none";
        CAPTURE(place);
        const Evaluated before = evaluate(network, network.initial(), kRate);
        std::vector<std::string> changed;
        const std::vector<std::vector<std::string>> more = {{"C"}, {"W1", "b1"}, {"W2", "b2"}};
        double expected = 0;
        for (std::size_t l = 0; l < more.size(); ++l) {
            changed.insert(changed.end(), more[l].begin(), more[l].end());
            if (norm && l > 0) {
                changed.push_back("bngain." + std::to_string(l));
                changed.push_back("bnbias." + std::to_string(l));
            }
            const Evaluated after = evaluate(network, updated(network, before.views, changed), kRate);
            const std::string W = "dW" + std::to_string(l + 1);
            expected += byhand::lab::norm(difference(values_of(before.views, W), values_of(after.views, W))) / 3;
        }
        CHECK(expected > 0);
        CHECK_THAT(shift_of(network, kRate), WithinRel(expected, 1e-3));
    }
    CHECK(shift_of(SmallNetwork(), 0) == 0);
}
