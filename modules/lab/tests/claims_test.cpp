#include "lab/claims/claims.h"

#include <algorithm>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "lab/tests/read.h"
#include "lab/tests/recipes.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinRel;

namespace {

// A small network of a norm in one layer, and one of a norm in three, the output among them.
std::vector<Recipe> small_recipes() {
    Recipe shallow = lab_test::recipe("notes"), deep = lab_test::recipe("makemore-deep");
    test::set(shallow.network, &ShortForm::hidden, {9});
    test::set(deep.network, &ShortForm::hidden, {8, 7});
    deep.network.embedding = 3;
    shallow.batch = deep.batch = 8;
    return {shallow, deep};
}

Setup quick() {
    return lab_test::setup(small_recipes(), kFewestClaimSteps);
}

// The mean of the deviations at the rates at which every training ends below the loss that the measure names.
void check_steadier(const Json& claim, const Json& studies) {
    const std::string network = claim.at("network").get<std::string>(),
                      measure = claim.at("measure").get<std::string>();
    const double limit = std::stod(measure.substr(measure.find("a loss of ") + 10));
    const auto figures = [&](const std::string& study, std::size_t form, std::size_t rate) {
        std::vector<double> seeds;
        for (const Json& seed : studies.at(study + network).at("arms").at(form).at("figures").at(rate)) {
            seeds.push_back(seed.is_string() ? INFINITY : seed.get<double>());
        }
        return seeds;
    };
    const auto trains = [&](std::size_t form, std::size_t rate) {
        return std::ranges::max(figures("rates_", form, rate)) < limit;
    };
    double sum = 0, rates = 0;
    for (std::size_t rate = 0; rate < studies.at("rates_" + network).at("values").size(); ++rate) {
        if (trains(0, rate) && trains(1, rate)) {
            sum += figures("steadier_", 0, rate).front();
            ++rates;
        }
    }
    CHECK(rates > 0);
    CHECK(sum > 0);
    CHECK_THAT(claim.at("with").at("values").at(0).get<double>(), WithinRel(sum / rates, 1e-12));
}

std::vector<std::string> names_of(const Json& document) {
    std::vector<std::string> names;
    for (const Json& claim : document.at("claims")) {
        names.push_back(claim.at("name").get<std::string>());
    }
    return names;
}

}  // namespace

TEST_CASE("claims: the same network with the norm and without, biases where the norm made them superfluous") {
    const TwoForms deep = two_forms(small_recipes()[1], lab_test::few_names());
    const Recipe &with_norm = deep.forms[0], &without_norm = deep.forms[1];
    CHECK(with_norm.network == [&] {
        NetworkConfig config = small_recipes()[1].network;
        config.vocabulary = with_norm.network.vocabulary;
        return config;
    }());
    const ShortForm form = short_form_of(without_norm.network.layers).value();
    CHECK(form.norm_place == "none");
    CHECK(form.hidden_bias);
    CHECK(form.output_bias);
    // Seed by seed, both begin with the same weights and draw the same minibatches.
    TorchGenerator with = torch_seeded(4), without = torch_seeded(4);
    const Tensors<float> a = initial_state(with_norm, with), b = initial_state(without_norm, without);
    CHECK(with == without);
    CHECK(a["W2"][5] == b["W2"][5]);
    CHECK(b["b2"][5] == 0);

    Recipe bare = small_recipes()[0];
    test::set(bare.network, &ShortForm::norm_place, "none");
    const TwoForms forms = two_forms(bare, lab_test::few_names());
    CHECK(short_form_of(forms.forms[0].network.layers).value().norm_place == "before");
}

TEST_CASE("claims: of a recipe that lists its layers, with and without its norms") {
    const Recipe listed = lab_test::recipe("../tests/recipe/recipes/listed");
    CHECK_NOTHROW(check_recipe(listed, claims_experiment()));
    const TwoForms two = two_forms(listed, lab_test::few_names());
    const bool has_its_norms = two.forms[0].network.layers == listed.network.layers;
    CHECK(has_its_norms);
    CHECK(std::ranges::none_of(two.forms[1].network.layers, [](const auto& one) { return is_norm(one.op); }));

    Recipe linears = listed;
    linears.network = with_layers(linears.network, {{"linear", 7}, {"batchnorm"}, {"linear"}});
    CHECK_THROWS_AS(check_recipe(linears, claims_experiment()), InputError);

    Recipe sigmoid = listed;
    for (OperationConfig& one : sigmoid.network.layers) {
        one.op = one.op == op::kTanh ? "sigmoid" : one.op;
    }
    CHECK_THROWS_AS(check_recipe(sigmoid, claims_experiment()), InputError);
    CHECK_NOTHROW(check_recipe(sigmoid, batch_experiment()));
}

TEST_CASE("claims: a verdict for every measure of every claim, by its own figures") {
    const Json document = lab_test::read(claims({}, quick()));
    for (const Json& claim : document.at("claims")) {
        const auto with = claim.at("with").at("values").get<std::vector<double>>();
        const auto without = claim.at("without").at("values").get<std::vector<double>>();
        CHECK(with.size() == 2);
        const std::string verdict = claim.at("verdict").get<std::string>();
        const bool one_of_two = verdict == words_of(test_of(with, without, Better::smaller).outcome) ||
                                verdict == words_of(test_of(with, without, Better::larger).outcome);
        CAPTURE(claim);
        CHECK(one_of_two);
        for (const char* words : {"network", "claim", "measure"}) {
            CHECK(!claim.at(words).get<std::string>().empty());
        }
        if (claim.at("name").get<std::string>() == "steadier") {
            check_steadier(claim, document.at("studies"));
        }
        // What a norm does by its make: β and γ are a tanh input's mean and deviation.
        if (claim.at("measure").get<std::string>().starts_with("Wander")) {
            CHECK(claim.at("with").at("mean").get<double>() < claim.at("without").at("mean").get<double>());
        }
    }
    const std::vector<std::string> names = names_of(document), all = claim_names();
    CHECK(std::set<std::string>(names.begin(), names.end()) == std::set<std::string>(all.begin(), all.end()));
    CHECK(document.at("plots").size() == 2 * 5 + 1 + 1);
}

TEST_CASE("claims: only those that are wanted, and twice the same; one seed decides nothing") {
    Setup setup = quick();
    const auto run = [&] { return lab_test::read(claims({{"weights", "rates"}}, setup)); };
    const Json document = run();
    CHECK(names_of(document) == std::vector<std::string>{"rates", "weights", "rates", "weights"});
    CHECK(run() == document);
    setup.seeds.resize(1);
    setup.recipes.resize(1);
    CHECK(run().at("claims").at(0).at("verdict").get<std::string>() == "undecided");
}

TEST_CASE("claims: bad input") {
    Setup setup = quick();
    setup.steps = kFewestClaimSteps - 1;
    CHECK_THROWS_AS(claims({}, setup), InputError);
    setup = quick();
    setup.material.names.names.resize(1);
    CHECK_THROWS_AS(claims({}, setup), InputError);
}

TEST_CASE("batch: losses over every setting, claims against the usual one and against no norm") {
    Recipe recipe = lab_test::recipe("notes");
    test::set(recipe.network, &ShortForm::hidden, {9});
    const Setup setup = lab_test::setup({recipe}, 40);
    const Json document = lab_test::read(lab_test::run(batch_experiment(), setup));
    const Json& studies = document.at("studies");
    CHECK(studies.at("epsilon_notes").at("arms").size() == 1);
    CHECK(studies.at("batch_notes").at("arms").size() == 2);
    CHECK(document.at("claims").size() == 4 + 4 + 6);
    CHECK(document.at("plots").size() == 3);
    const auto loss = [&](const char* study, std::size_t value) {
        return studies.at(study).at("arms").at(0).at("figures").at(value).at(0).get<double>();
    };
    // An ε of 1 is another network; the momentum changes nothing but the evaluation.
    CHECK(loss("epsilon_notes", 4) != loss("epsilon_notes", 1));
    CHECK(loss("momentum_notes", 4) != loss("momentum_notes", 2));
    // 32 rows is the recipe's own batch: the same training as with the usual ε.
    CHECK(loss("batch_notes", 4) == loss("epsilon_notes", 1));
    const Json& claim = document.at("claims").at(8);
    CHECK(claim.at("claim").get<std::string>() == "2 rows: lower with the norm than without");
}
