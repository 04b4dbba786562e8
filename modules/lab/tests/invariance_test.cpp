#include "lab/invariance.h"

#include <algorithm>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <numbers>
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

void check_equal(const Json& found, const std::vector<double>& expected, double tolerance) {
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        CHECK_THAT(found.at(i).get<double>(), WithinAbs(expected[i], tolerance));
    }
}

std::vector<ScaledLayer> scaled(const lab_test::SmallNetwork& network, const std::vector<double>& alphas) {
    return scale_layers(network.config, network.initial(), network.batch(), alphas);
}

Setup setup_with(double epsilon) {
    Recipe recipe = lab_test::recipe("notes");
    recipe.network.norm.epsilon = epsilon;
    return lab_test::setup({recipe}, 0);
}

}  // namespace

TEST_CASE("invariance: the note's worked example, whatever its scale") {
    constexpr double kGain = -0.7, kBias = 3;
    const InvarianceOptions options{.alphas = {100, 0.25}, .gain = kGain, .bias = kBias};
    const Json document = lab_test::read(invariance(options, setup_with(0)));
    const double by_n = std::numbers::sqrt2, bessel = std::sqrt(1.5);
    for (const auto& [key, step, variance] : {std::tuple{"n", by_n, 2.0}, std::tuple{"n-1", bessel, 8.0 / 3}}) {
        const Json& scales = document.at("divisors").at(key);
        REQUIRE(scales.size() == 3);
        check_equal(scales.at(1).at("values"), {200, 0, 200, 400}, 0);
        for (const Json& scale : scales) {
            CAPTURE(key, scale.at("scale").get<double>());
            const Json& run = scale.at("runs").at(0);
            const double alpha = scale.at("scale").get<double>();
            CHECK_THAT(run.at("mean").get<double>(), WithinRel(2 * alpha, 1e-12));
            CHECK_THAT(run.at("variance").get<double>(), WithinRel(variance * alpha * alpha, 1e-12));
            check_equal(run.at("normalised"), {0, -step, 0, step}, 1e-12);
            check_equal(run.at("output"), {kBias, kBias - step * kGain, kBias, kBias + step * kGain}, 1e-12);
            CHECK_THAT(run.at("output_mean").get<double>(), WithinAbs(kBias, 1e-12));
            CHECK_THAT(run.at("output_deviation").get<double>(), WithinAbs(-kGain, 1e-12));
        }
    }
}

TEST_CASE("invariance: a large epsilon breaks it, and the document says by how much") {
    // Variance 2 and ε 2: 1/√4 in place of 1/√2.
    const Json document = lab_test::read(invariance({.gain = 1, .bias = 0}, setup_with(2)));
    const Json& unscaled = document.at("divisors").at("n").at(0).at("runs").at(1);
    check_equal(unscaled.at("normalised"), {0, -1, 0, 1}, 1e-12);
    CHECK_THAT(unscaled.at("output_deviation").get<double>(), WithinAbs(std::sqrt(0.5), 1e-12));
}

TEST_CASE("invariance: any numbers, and those that cannot be") {
    const auto run = [](const InvarianceOptions& options) { return invariance(options, setup_with(1e-5)); };
    CHECK_NOTHROW(run({.values = {-3, 0.5, 11, 2, 2, 1e-3, 7}}));
    CHECK_THROWS_AS(run({.values = {3}}), InputError);
    CHECK_THROWS_AS(run({.values = {3, 3, 3}}), InputError);
    CHECK_THROWS_AS(run({.alphas = {-1}}), InputError);
    CHECK_THROWS_AS(run({.alphas = {1e15}}), InputError);
    CHECK_THROWS_AS(run({.alphas = {0}}), InputError);
    // Float sees one number here: the document says so, and claims nothing.
    CHECK(run({.values = {1e9, 1e9 + 1}}).agrees);
}

TEST_CASE("invariance: the law in every layer of a network, and where no norm stands") {
    Setup setup = setup_with(1e-5);
    setup.recipes.push_back(lab_test::recipe("makemore-deep"));
    test::set(setup.recipes[1].network, &ShortForm::hidden, {7, 5});
    const Json document = lab_test::read(invariance({.alphas = {0.01, 30}}, setup));
    const Json& notes = document.at("networks").at(0).at("without_epsilon");
    REQUIRE(notes.size() == 2);
    CHECK(notes.at(0).at("scaled").at(0).at("result_change").get<double>() < 1e-12);
    CHECK(notes.at(1).at("scaled").at(0).at("result_change").get<double>() > 0.5);
    // A factor of 1, between the two that were asked for, changes nothing.
    const Json& by_one = notes.at(1).at("scaled").at(1);
    for (const char* change : {"result_change", "loss_change", "gradient_change"}) {
        CHECK(by_one.at(change).get<double>() == 0);
    }
    const Json& deep = document.at("networks").at(1).at("without_epsilon");
    REQUIRE(deep.size() == 3);
    for (const Json& layer : deep) {
        CHECK(layer.at("scaled").at(2).at("gradient_change").get<double>() < 1e-12);
    }
    CHECK(notes.at(0).at("holds").get<bool>());
    CHECK_FALSE(notes.at(1).at("holds").get<bool>());  // no norm behind W2
    CHECK(std::ranges::all_of(deep, [](const Json& layer) { return layer.at("holds").get<bool>(); }));
    const Json& with_epsilon = document.at("networks").at(1).at("with_epsilon");
    CHECK(std::ranges::none_of(with_epsilon, [](const Json& layer) { return layer.at("holds").get<bool>(); }));
}

TEST_CASE("scaled layers: without epsilon the result stays and the gradient shrinks by alpha") {
    lab_test::SmallNetwork network;
    network.config.norm.epsilon = 0;
    const std::vector<ScaledLayer> layers = scaled(network, {0.001, 7, 30});
    REQUIRE(layers.size() == 3);
    for (const ScaledLayer& layer : layers) {
        CAPTURE(layer.result);
        for (const Scaled& one : layer.scaled) {
            CAPTURE(one.alpha);
            if (layer.layer.is_output) {  // no norm behind it
                CHECK(one.result_change > 0.5);
                CHECK(one.gradient_change > 0.5);
            } else {
                CHECK(one.result_change < 1e-13);
                CHECK(one.loss_change < 1e-13);
                CHECK(one.gradient_change < 1e-12);
            }
        }
    }
}

TEST_CASE("scaled layers: epsilon counts for what it adds to the variance") {
    lab_test::SmallNetwork network;
    network.config.norm.epsilon = 0.01;
    const ScaledLayer layer = scaled(network, {0.1, 1, 10}).front();
    CHECK(layer.scaled.front().result_change > 1e-3);
    CHECK(layer.scaled[1].result_change == 0);
}

TEST_CASE("scaled layers: behind the non-linearity the norm does not take the scale out") {
    lab_test::SmallNetwork network;
    test::set(network.config, &ShortForm::norm_place, "after");
    const ScaledLayer layer = scaled(network, {30}).front();
    CHECK(layer.result == "h.1");
    CHECK(layer.scaled.front().result_change > 0.01);
}
