#include "lab/undo/undo.h"

#include <algorithm>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "lab/agreement.h"
#include "lab/first_step.h"
#include "lab/tests/read.h"
#include "lab/tests/recipes.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

// Few and odd: two hidden layers with a norm each, and one on the output.
UndoOptions small(EpsilonPlace place = EpsilonPlace::inside) {
    UndoOptions options{lab_test::recipe("makemore-deep"), 45, {3, 2}};
    options.recipe.network.hidden = {7, 5};
    options.recipe.network.embedding = 3;
    options.recipe.network.norm.epsilon_place = place;
    options.recipe.batch = 9;
    return options;
}

}  // namespace

TEST_CASE("undo: the identity on its own batch alone, in every norm, and the network without norms") {
    for (const EpsilonPlace place : {EpsilonPlace::inside, EpsilonPlace::outside}) {
        UndoOptions options = small(place);
        options.recipe.network.norm.epsilon = 0.25;  // σ itself would not do
        options.recipe.network.norm.batch_divisor = Divisor::n;
        const Json document = lab_test::read(undo(options, lab_test::names(), lab_test::setting()));
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

TEST_CASE("undo: where gamma and beta begin, and every unit at every moment") {
    const Json document = lab_test::read(undo(small(), lab_test::names(), lab_test::setting()));
    for (const char* key : {"gain", "bias"}) {
        const Json& seeds = document.at("drift").at(key);
        REQUIRE(seeds.size() == 2);
        for (const Json& moments : seeds) {
            CHECK(moments.at(0).at("step").get<int>() == 0);
            CHECK(moments.at(0).at("way").get<double>() == 0);
            CHECK(moments.at(0).at("distance").get<double>() == moments.at(0).at("had_it_stayed").get<double>());
            CHECK(moments.back().at("step").get<int>() == 45);
            CHECK(moments.back().at("units").size() == 7 + 5 + 27);
            CHECK(moments.back().at("way").get<double>() != 0);
        }
    }
}

TEST_CASE("undo: gamma and beta are updated as LibTorch updates them") {
    if (!lab_test::with_torch()) {
        SKIP("LibTorch is missing");
    }
    const Json document = lab_test::read(undo(small(), lab_test::names(), lab_test::setting()));
    const Json& updates = document.at("updates");
    CHECK(updates.size() == 24);  // four of each of three norms, by two networks
    for (const Json& one : updates) {
        CAPTURE(one);
        CHECK((one.at("verdict").get<std::string>() == "exact" || one.at("verdict").get<std::string>() == "within"));
    }
}

TEST_CASE("undo: without LibTorch, on one seed, in fewer steps than moments") {
    UndoOptions options = small();
    options.steps = 3;
    options.seeds = {1, 1};
    const Json document = lab_test::read(undo(options, lab_test::names(), {}));
    CHECK_FALSE(document.contains("updates"));
    CHECK(document.at("drift").at("gain").at(0).size() == 4);
}

TEST_CASE("undo: with the slip gamma minus beta stays, and only with it") {
    const UndoOptions options = small();
    const Material material = lab_test::names();
    const FirstStep first = first_step(options.recipe, material);
    const UndoTrainings both = train_for_undo(options, first, material, {});
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
    NetworkConfig network{
        .vocabulary = 3, .context = 1, .embedding = 1, .hidden = {2}, .hidden_bias = false, .norm = {}};
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

TEST_CASE("the share of a way, and correlation") {
    CHECK_THAT(share_of_way({1, 1}, {2, 1}, {3, 2}), WithinAbs(2.0 / 5, 1e-12));
    CHECK(share_of_way({1, 1}, {3, 2}, {3, 2}) == 1);
    CHECK(share_of_way({1, 1}, {0, 1}, {3, 1}) == -0.5);
    // Anscombe's first quartet: 0.816.
    const std::vector<double> x = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
    const std::vector<double> y = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
    CHECK_THAT(correlation(x, y), WithinAbs(0.816, 5e-4));
    CHECK(std::isnan(correlation(x, std::vector<double>(11, 0.1))));
}

TEST_CASE("paired: differences seed by seed, and whether they are clear of their spread") {
    CHECK(higher_or_lower({0.1, 0.2, 0.3}) == "0.2 ± 0.1 higher, 2.0 standard deviations");
    CHECK(higher_or_lower({-0.5}) == "0.5 lower on one seed, which shows no spread");
    CHECK(higher_or_lower({1, NAN, NAN}) == "not finite on 2 of 3 seeds");
    CHECK_FALSE(is_clear({0.1, 0.2, 0.4}));
    CHECK(is_clear({-0.1, -0.12, -0.11}));
    CHECK_FALSE(is_clear({1}));
    CHECK_FALSE(is_clear({1, NAN}));
    CHECK(differences({3, 1}, {1, 4}) == std::vector<double>{2, -3});
}

TEST_CASE("undo: nothing to undo it with") {
    UndoOptions options = small();
    options.recipe.network.norm.affine = false;
    CHECK_THROWS_AS(undo(options, lab_test::names(), {}), InputError);
    options.recipe.network.norm.affine = true;
    options.recipe.network.norm.place = NormPlace::none;
    CHECK_THROWS_AS(undo(options, lab_test::names(), {}), InputError);
}
