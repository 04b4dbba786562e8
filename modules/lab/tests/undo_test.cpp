#include "lab/undo/undo.h"

#include <algorithm>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "lab/tests/read.h"
#include "lab/tests/recipes.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

// Few and odd: two hidden layers with a norm each, and one on the output.
Setup small(EpsilonPlace place = EpsilonPlace::inside) {
    Setup setup = lab_test::setup({lab_test::recipe("makemore-deep")}, 45);
    Recipe& recipe = setup.recipes.front();
    test::set(recipe.network, &ShortForm::hidden, {7, 5});
    recipe.network.embedding = 3;
    recipe.network.norm.epsilon_place = place;
    recipe.batch = 9;
    return setup;
}

}  // namespace

TEST_CASE("undo: the identity on its own batch alone, in every norm, and the network without norms") {
    for (const EpsilonPlace place : {EpsilonPlace::inside, EpsilonPlace::outside}) {
        Setup setup = small(place);
        Recipe& recipe = setup.recipes.front();
        recipe.network.norm.epsilon = 0.25;  // σ itself would not do
        recipe.network.norm.batch_divisor = Divisor::n;
        const Json document = lab_test::read(undo(setup));
        const Json& norms = document.at("identity");
        REQUIRE(norms.size() == 3);
        for (const Json& norm : norms) {
            CAPTURE(norm);
            CHECK(norm.at("y_from_x").get<double>() < 1e-14);
            CHECK(norm.at("next_batch_evaluated").get<double>() < 1e-14);
            CHECK(norm.at("next_batch").get<double>() > 0.01);
            CHECK(norm.at("dx_from_dy").get<double>() > 0.01);
        }
        const Json& network = document.at("network");
        CHECK_THAT(network.at("loss_undone").get<double>(),
                   WithinRel(network.at("loss_without_norm").get<double>(), 1e-12));
    }
}

TEST_CASE("undo: where gamma and beta begin and end, on every seed") {
    const Json document = lab_test::read(undo(small()));
    for (const char* key : {"gain", "bias"}) {
        const Json& study = document.at("studies").at(key);
        CHECK(study.at("values").at(0).get<double>() == 0);
        CHECK(study.at("values").back().get<double>() == 45);
        const Json &learned = study.at("arms").at(0).at("figures"), &stayed = study.at("arms").at(1).at("figures");
        for (const std::size_t seed : {0, 1}) {
            CHECK(learned.at(0).at(seed).get<double>() == stayed.at(0).at(seed).get<double>());
            CHECK(learned.back().at(seed).get<double>() != stayed.back().at(seed).get<double>());
        }
    }
}

TEST_CASE("undo: without LibTorch, on one seed, in fewer steps than moments") {
    Setup setup = small();
    setup.steps = 3;
    setup.seeds = {1};
    setup.setting = {};
    const Json document = lab_test::read(undo(setup));
    CHECK(document.at("studies").at("gain").at("values").size() == 4);
}

TEST_CASE("undo: with the slip gamma minus beta stays, and only with it") {
    const Setup setup = small();
    const FirstStep first = first_step(setup.recipes.front(), setup.material);
    const UndoTrainings both = train_for_undo(first, setup);
    for (const std::size_t seed : {0, 1}) {
        const Moment& begin = both.moments[seed].front();
        const auto moved = [&](const Trained& trained) {
            const Moment end = moment_of(45, trained.state, first.network(), first.run.train, 11);
            double most = 0;
            for (std::size_t unit = 0; unit < end.gain.size(); ++unit) {
                const double apart = end.gain[unit] - end.bias[unit] - (begin.gain[unit] - begin.bias[unit]);
                most = std::max(most, std::abs(apart));
            }
            return most;
        };
        CHECK(moved(both.slip[seed]) < 1e-5);
        CHECK(moved(both.right[seed]) > 1e-2);
    }
}

TEST_CASE("undo: mu and sigma of a unit are those of its column") {
    // One character of context and an embedding of width 1: hprebn is C[x]·W, worked out by hand.
    NetworkConfig network = test::network(3, 1, 1, {.hidden = {2}, .hidden_bias = false});
    network.norm.epsilon = 1;
    Tensors<float> values(state(network));
    const auto set = [&](const char* name, std::vector<float> to) { std::ranges::copy(to, values[name].begin()); };
    set("C", {1, 2, 6});
    set("W1", {1, -3});
    set("bngain", {5, 7});
    set("bnbias", {0.5, -0.25});
    Examples examples;
    examples.context = 1;
    examples.text = {0, 1, 2, 2, 0};
    const Moment moment = moment_of(4, values, network, examples, 3);  // 1, 2, 6: mean 3, squares 4 + 1 + 9
    CHECK(moment.gain == std::vector<double>{5, 7});
    CHECK(moment.bias == std::vector<double>{0.5, -0.25});
    CHECK_THAT(moment.mean[0], WithinAbs(3, 1e-6));
    CHECK_THAT(moment.mean[1], WithinAbs(-9, 1e-6));
    CHECK_THAT(moment.deviation[0], WithinRel(std::sqrt(7.0 + 1), 1e-6));
    CHECK_THAT(moment.deviation[1], WithinRel(std::sqrt(63.0 + 1), 1e-6));
}

TEST_CASE("undo: nothing to undo it with") {
    Setup setup = small();
    setup.recipes.front().network.norm.affine = false;
    CHECK_THROWS_AS(undo(setup), InputError);
    setup.recipes.front().network.norm.affine = true;
    test::set(setup.recipes.front().network, &ShortForm::norm_place, "none");
    CHECK_THROWS_AS(undo(setup), InputError);
}
