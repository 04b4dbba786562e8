#include "lab/loss.h"

#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <vector>

#include "base/change_network.h"
#include "harness/drawn.h"
#include "lab/tests/recipes.h"
#include "steps/runner.h"

using namespace byhand;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using lab::Start;

namespace {

const lab::LossOptions kQuick = {.scales = {1e-6, 3}, .rate_factors = {1, 7}};

lab::Setup quick() {
    return lab_test::setup({lab_test::recipe("notes")}, 60);
}

const NetworkConfig kNetwork = test::network(5, 2, 3, {.hidden = {7}});

// The number at a path of keys and indices: "/trainings/0/loss".
double at(const Json& json, const std::string& path) {
    const Json* found = &json;
    std::istringstream parts(path.substr(1));
    for (std::string part; std::getline(parts, part, '/');) {
        found = found->is_array() ? &found->at(std::stoul(part)) : &found->at(part);
    }
    return found->get<double>();
}

}  // namespace

TEST_CASE("loss: the figures that can be worked out with a pencil") {
    const Json document = lab_test::read(loss(kQuick, quick()));
    const Json &cosines = document.at("studies").at("gradients").at("arms"),
               &norms = document.at("studies").at("saturated").at("arms");
    // Uniform probabilities: softmax's Jacobian is (I − 1/V)/V there, and the gradient sums to 0 already.
    CHECK_THAT(at(cosines, "/1/figures/0/0"), WithinAbs(1, 1e-6));
    // At larger logits the note's is cross-entropy's still, the squared error's is not.
    CHECK_THAT(at(cosines, "/0/figures/1/0"), WithinAbs(1, 1e-12));
    CHECK(at(document, "/largest_difference") < 1e-16);
    CHECK(at(cosines, "/1/figures/1/0") < 0.9);
    // One row of equal logits: the square (V − 1)/V, and that of the squared error 1/V of it.
    CHECK_THAT(at(norms, "/0/figures/0/0"), WithinRel(std::sqrt(26.0 / 27), 1e-9));
    CHECK_THAT(at(norms, "/1/figures/0/0"), WithinRel(std::sqrt(26.0 / 27) / 27, 1e-9));
    // One logit 5 above 26 others: p = e⁵/(e⁵ + 26), the others q. Right: each gradient is g·(−1, 1/26, …), with
    // g = 1 − p for cross-entropy and p·(1 − p − p·(1 − p) + 26·q²) for the squared error.
    const double p = std::exp(5.0) / (std::exp(5.0) + 26), q = (1 - p) / 26, shape = std::sqrt(1 + 1.0 / 26);
    CHECK_THAT(at(norms, "/0/figures/3/0"), WithinRel((1 - p) * shape, 1e-9));
    CHECK_THAT(at(norms, "/1/figures/3/0"), WithinRel(p * ((1 - p) * (1 - p) + 26 * q * q) * shape, 1e-9));
    // Wrong, and far: cross-entropy's is (1, −1, 0, …), the squared error's in proportion (27, −2, −1, …).
    CHECK_THAT(at(norms, "/2/figures/8/0"), WithinRel(std::sqrt(2), 1e-9));
    CHECK_THAT(at(norms, "/3/figures/8/0"), WithinRel(std::exp(-30.0) * std::sqrt(758), 1e-3));
}

TEST_CASE("loss: a network from the squared error has its gradient, by finite differences") {
    constexpr double kStep = 1e-5;
    const std::vector<std::int64_t> X = {0, 1, 2, 4, 3, 3}, Y = {4, 0, 2};
    const Batch batch{3, X.data(), Y.data()};
    Runner<double> runner(lab::network_from(Start::squared_error, kNetwork, 3));
    copy_into(runner.tensors(), drawn_state(kNetwork, 1));
    runner.set_batch(batch);
    runner.forward();
    runner.backward();
    for (const TensorSpec& spec : parameters(kNetwork)) {
        for (std::size_t i = 0; i < count(spec.shape); i += 3) {
            double& value = runner.tensors()[spec.name][i];
            const double middle = value;
            const auto loss_at = [&](double moved) {
                value = moved;
                runner.forward();
                return runner.tensors()["loss"][0];
            };
            const double slope = (loss_at(middle + kStep) - loss_at(middle - kStep)) / (2 * kStep);
            value = middle;
            CAPTURE(spec.name, i);
            CHECK_THAT(runner.tensors()["d" + spec.name][i], WithinAbs(slope, 1e-8));
        }
    }
}

TEST_CASE("loss: a network from the note's start goes back as from cross-entropy") {
    const std::vector<std::int64_t> X = {0, 1, 2, 4, 3, 3}, Y = {4, 0, 2};
    std::vector<std::vector<double>> gradients;
    for (const Start start : {Start::cross_entropy, Start::notes_start}) {
        Runner<double> runner(lab::network_from(start, kNetwork, 3));
        copy_into(runner.tensors(), drawn_state(kNetwork, 1));
        runner.set_batch({3, X.data(), Y.data()});
        runner.forward();
        runner.backward();
        const auto dC = runner.tensors()["dC"];
        gradients.emplace_back(dC.begin(), dC.end());
    }
    for (std::size_t i = 0; i < gradients[0].size(); ++i) {
        CHECK_THAT(gradients[0][i], WithinAbs(gradients[1][i], 1e-14));
    }
    CHECK(gradients[0] != std::vector<double>(gradients[0].size(), 0));
}

TEST_CASE("loss: what each trains to, on every seed") {
    lab::Setup setup = quick();
    SECTION("by running statistics") {}
    SECTION("by the figures of the training set") {
        setup.recipes.front().network.norm.evaluation = EvaluationFigures::training_set;
    }
    const Json document = lab_test::read(loss(kQuick, setup));
    const Json& studies = document.at("studies");
    const auto final_loss = [&](std::size_t arm) {
        return studies.at("cross_entropy").at("arms").at(arm).at("figures").at(0).at(0).get<double>();
    };
    const Json& arms = studies.at("cross_entropy").at("arms");
    REQUIRE(arms.size() == 5);
    CHECK(arms.at(4).at("name").get<std::string>() == "squared error × 7");
    for (std::size_t arm = 0; arm < 5; ++arm) {
        CHECK(arms.at(arm).at("figures").at(0).size() == 2);
        CHECK(final_loss(arm) < 3.5);  // it learns, from about ln 27
    }
    // The note's start with the mean is cross-entropy's training but for rounding; with the sum it is another.
    const double trained = final_loss(0);
    CHECK_THAT(final_loss(1), WithinAbs(trained, 1e-5));
    CHECK(std::abs(final_loss(2) - trained) > 1e-3);
    CHECK(final_loss(3) > trained);
    CHECK(document.at("claims").size() == 4);
}

TEST_CASE("loss: a failed training is reported") {
    lab::Setup setup = quick();
    test::set(setup.recipes.front().network, &ShortForm::norm_place, "none");
    lab::LossOptions options = kQuick;
    options.rate_factors = {1e30};
    const Json document = lab_test::read(loss(options, setup));
    CHECK(printed_json(document, 0).find("not finite on 2 of 2 seeds") != std::string::npos);
}
