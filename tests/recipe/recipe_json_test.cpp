#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "recipe/recipe.h"
#include "recipe/sample.h"

using namespace byhand;
using byhand::test::kSample;
using byhand::test::sample;
using byhand::test::sample_with;

TEST_CASE("every key goes to its own field") {
    const Recipe read = recipe_from_json(kSample, "x.json");
    const Recipe expected = sample();
    CHECK(read.name == expected.name);
    CHECK(read.about == expected.about);
    CHECK(read.network == expected.network);
    CHECK(read.seed == expected.seed);
    CHECK(read.initial == expected.initial);
    CHECK(read.batch_seed == expected.batch_seed);
    CHECK(read.rates == expected.rates);
    CHECK(read == expected);
}

TEST_CASE("to_json keeps every value") {
    Recipe recipe = sample();
    CHECK(recipe_from_json(to_json(recipe), "x.json") == recipe);

    recipe.about.clear();
    recipe.name = "Žofie \"quoted\" \\ 名";
    recipe.batch_seed.reset();
    recipe.first_cut = 0.1 + 0.2;  // 0.30000000000000004
    recipe.rates[1].rate = 1.0 / 3;
    recipe.network.norm.momentum = 0.1;
    recipe.network.norm.epsilon_place = EpsilonPlace::inside;
    recipe.network.norm.epsilon = 4.9e-324;
    recipe.initial[0].normal = 5.0 / 3;
    recipe.initial[1].normal = 0;
    CHECK(recipe_from_json(to_json(recipe), "x.json") == recipe);

    recipe.network.norm.epsilon = 0;  // "none"
    CHECK(recipe_from_json(to_json(recipe), "x.json") == recipe);
    recipe.network.norm.epsilon_place = EpsilonPlace::outside;
    CHECK(recipe_from_json(to_json(recipe), "x.json") == recipe);
    recipe.network.norm.place = NormPlace::none;
    CHECK(recipe_from_json(to_json(recipe), "x.json") == recipe);
    recipe.steps = 0;
    CHECK(recipe_from_json(to_json(recipe), "x.json") == recipe);
}

TEST_CASE("differences name each key that decides a step, and no other") {
    const Recipe there = sample();
    Recipe here = there;
    here.name = "another";
    here.about = "another";
    ++here.steps;
    ++here.sample_seed;
    CHECK(differences(there, here).empty());
    here.batch = there.batch + 1;
    here.network.hidden.push_back(9);
    const std::string last = std::to_string(there.network.hidden.size()), batch = std::to_string(there.batch);
    CHECK(differences(there, here) ==
          std::vector<std::string>{"batches.size (" + batch + " there, " + std::to_string(here.batch) + " here)",
                                   "network.hidden." + last + " (\"nothing\" there, 9 here)"});
}

TEST_CASE("what is left out is as in the structs") {
    const Recipe read = recipe_from_json(
        R"({"name": "short", "initial": {"rules": [{"parameter": "C", "normal": 1}]},
            "schedule": {"steps": 1, "rates": [{"from": 0, "rate": 0.1}]}})",
        "x.json");
    Recipe expected;
    expected.name = "short";
    expected.initial = {{"C", LayerSet::all, 1.0, false, 0}};
    expected.steps = 1;
    expected.rates = {{0, 0.1}};
    CHECK(read == expected);
    CHECK(read.network == NetworkConfig{});

    const Recipe without = recipe_from_json(sample_with("\"place\": \"after\"", "\"place\": \"none\""), "x.json");
    CHECK(without.network.norm.place == NormPlace::none);
    const auto begin = kSample.find("{\"place\"");
    const std::string norm = kSample.substr(begin, kSample.find('}', begin) + 1 - begin);
    NormConfig none;
    none.place = NormPlace::none;
    CHECK(recipe_from_json(sample_with(norm, "{\"place\": \"none\"}"), "x.json").network.norm == none);
    CHECK(recipe_from_json(sample_with("\"seed\": 3", "\"seed\": null"), "x.json").batch_seed == std::nullopt);
}

TEST_CASE("the momentum of the old figure is turned into the weight of the new") {
    const auto momentum = [](const std::string& keys) {
        return recipe_from_json(sample_with("\"momentum\": 0.75, \"momentum_of\": \"old\"", keys), "x.json")
            .network.norm.momentum;
    };
    CHECK(momentum("\"momentum\": 0.75, \"momentum_of\": \"new\"") == 0.75);
    CHECK(momentum("\"momentum\": 0.75") == 0.75);
    CHECK(momentum("\"momentum_of\": \"old\", \"momentum\": 0.75") == 0.25);
    CHECK(momentum("\"momentum\": 0, \"momentum_of\": \"old\"") == 1);
    CHECK(momentum("\"momentum_of\": \"old\"") == NormConfig{}.momentum);
}

TEST_CASE("no epsilon is an epsilon of 0") {
    const auto norm = [](const std::string& keys) {
        return recipe_from_json(sample_with("\"epsilon\": 0.001,\n             \"epsilon_place\": \"outside\"", keys),
                                "x.json")
            .network.norm;
    };
    CHECK(norm("\"epsilon_place\": \"none\"").epsilon == 0);
    CHECK(norm("\"epsilon_place\": \"none\"").epsilon_place == EpsilonPlace::inside);
    CHECK(norm("\"epsilon_place\": \"none\", \"epsilon\": 0").epsilon == 0);
    CHECK(norm("\"epsilon_place\": \"outside\"").epsilon == NormConfig{}.epsilon);
    CHECK(norm("\"epsilon\": 0.5").epsilon == 0.5);
}

TEST_CASE("the rate of a step is the last one that holds from it or before") {
    Recipe recipe;
    recipe.rates = {{0, 0.5}, {3, 0.25}, {7, 0.125}};
    CHECK(rate_at(recipe, 0) == 0.5);
    CHECK(rate_at(recipe, 2) == 0.5);
    CHECK(rate_at(recipe, 3) == 0.25);
    CHECK(rate_at(recipe, 6) == 0.25);
    CHECK(rate_at(recipe, 7) == 0.125);
    CHECK(rate_at(recipe, 1'000'000) == 0.125);
}
