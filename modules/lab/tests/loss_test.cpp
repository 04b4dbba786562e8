#include "lab/loss.h"

#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <vector>

#include "harness/drawn.h"
#include "lab/tests/recipes.h"
#include "steps/runner.h"

using namespace byhand;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;
using lab::Start;

namespace {

lab::LossOptions quick() {
    lab::LossOptions options;
    options.recipe = lab_test::recipe("notes");
    options.steps = 60;
    options.seeds = {3, 2};
    options.scales = {1e-6, 3};
    options.rate_factors = {1, 7};
    return options;
}

const NetworkConfig kNetwork = {.vocabulary = 5, .context = 2, .embedding = 3, .hidden = {7}, .norm = {}};

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
    const Json document = lab_test::read(loss(quick(), lab_test::few_names(), lab_test::setting()));
    // Uniform probabilities: each row of cross-entropy's gradient has the square (V − 1)/V over n²; softmax's Jacobian
    // is (I − 1/V)/V there, and the gradient sums to 0 already.
    const double uniform = std::sqrt(26.0 / (27 * 32));
    CHECK_THAT(at(document, "/gradients/0/norms/cross_entropy"), WithinRel(uniform, 1e-6));
    CHECK_THAT(at(document, "/gradients/0/norms/notes_start"), WithinRel(32 * uniform, 1e-6));
    CHECK_THAT(at(document, "/gradients/0/norms/squared_error"), WithinRel(uniform / 27, 1e-6));
    CHECK_THAT(at(document, "/gradients/0/cosines/squared_error"), WithinAbs(1, 1e-6));
    // At larger logits the note's is cross-entropy's still, the squared error's is not.
    CHECK_THAT(at(document, "/gradients/1/cosines/notes_start"), WithinAbs(1, 1e-12));
    CHECK(at(document, "/gradients/1/largest_difference") < 1e-16);
    CHECK(at(document, "/gradients/1/cosines/squared_error") < 0.9);
    // One logit 5 above 26 others: p = e⁵/(e⁵ + 26), the others q. Right: each gradient is g·(−1, 1/26, …), with
    // g = 1 − p for cross-entropy and p·(1 − p − p·(1 − p) + 26·q²) for the squared error.
    const double p = std::exp(5.0) / (std::exp(5.0) + 26), q = (1 - p) / 26, shape = std::sqrt(1 + 1.0 / 26);
    CHECK_THAT(at(document, "/saturated/3/right/cross_entropy"), WithinRel((1 - p) * shape, 1e-9));
    CHECK_THAT(at(document, "/saturated/3/right/squared_error"),
               WithinRel(p * ((1 - p) * (1 - p) + 26 * q * q) * shape, 1e-9));
    // Wrong, and far: cross-entropy's is (1, −1, 0, …), the squared error's in proportion (27, −2, −1, …).
    CHECK_THAT(at(document, "/saturated/8/wrong/cross_entropy"), WithinRel(std::sqrt(2), 1e-9));
    CHECK_THAT(at(document, "/saturated/8/wrong/squared_error"), WithinRel(std::exp(-30.0) * std::sqrt(758), 1e-3));
    CHECK_THAT(at(document, "/saturated/8/wrong/cosine"), WithinAbs(29 / std::sqrt(2 * 758), 1e-4));
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
    lab::LossOptions options = quick();
    SECTION("by running statistics") {}
    SECTION("by the figures of the training set") {
        options.recipe.network.norm.evaluation = EvaluationFigures::training_set;
    }
    const Json document = lab_test::read(loss(options, lab_test::few_names(), {}));
    const Json& trainings = document.at("trainings");
    REQUIRE(trainings.size() == 5);
    CHECK(at(trainings, "/2/rate_factor") == 32);
    CHECK(at(trainings, "/4/rate_factor") == 7);
    for (const Json& training : trainings) {
        REQUIRE(training.at("seeds").size() == 2);
        CHECK(training.at("seeds").at(1).at("seed").get<int>() == 4);
        CHECK(training.at("curve").size() == 21);
        CHECK(at(training, "/curve/20/steps") == 60);
        // It learns: from ln 27, and ½·26/27.
        CHECK_THAT(at(training, "/curve/0/squared_error"), WithinAbs(0.5 * 26 / 27, 0.01));
        CHECK(at(training, "/seeds/0/squared_error") < at(training, "/curve/0/squared_error"));
        CHECK(at(training, "/seeds/0/cross_entropy") < 3.5);
    }
    // The note's start with the mean is cross-entropy's training but for rounding; with the sum it is another.
    const double trained = at(trainings, "/0/seeds/0/cross_entropy");
    CHECK_THAT(at(trainings, "/1/seeds/0/cross_entropy"), WithinAbs(trained, 1e-5));
    CHECK(std::abs(at(trainings, "/2/seeds/0/cross_entropy") - trained) > 1e-3);
    CHECK(at(trainings, "/3/seeds/0/cross_entropy") > trained);
}

TEST_CASE("loss: a failed training is reported") {
    lab::LossOptions options = quick();
    options.recipe.network.norm.place = NormPlace::none;
    options.rate_factors = {1e30};
    const Json document = lab_test::read(loss(options, lab_test::few_names(), {}));
    CHECK(document.at("trainings").at(3).at("seeds").at(0).at("cross_entropy").get<std::string>() == "nan");
    CHECK(printed_json(document, 0).find("cross-entropy not finite on 2 of 2 seeds") != std::string::npos);
}
