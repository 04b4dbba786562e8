#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "base/message_of.h"
#include "manual/operation.h"
#include "recipe/recipe.h"
#include "recipe/sample.h"

using namespace byhand;
using byhand::test::kSample;
using byhand::test::sample;
using byhand::test::sample_with;

namespace {

// What is written reads the same again, with its layers listed too.
void check_written(const Recipe& recipe) {
    for (const bool in_full : {false, true}) {
        const std::string text = to_json(recipe, in_full);
        CAPTURE(text);
        CHECK(recipe_from_json(text, "x.json") == recipe);
    }
}

}  // namespace

TEST_CASE("recipe: every key sets its own field") {
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

TEST_CASE("recipe: to_json preserves every value") {
    Recipe recipe = sample();
    check_written(recipe);

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
    check_written(recipe);

    recipe.network.norm.epsilon = 0;  // "none"
    check_written(recipe);
    recipe.network.norm.epsilon_place = EpsilonPlace::outside;
    check_written(recipe);
    test::set(recipe.network, &ShortForm::norm_place, "none");
    check_written(recipe);
    recipe.steps = 0;
    check_written(recipe);
}

TEST_CASE("recipe: optimizers and schedules are preserved, with LibTorch's defaults for omitted keys") {
    const auto read = [](const std::string& optimizer) {
        const std::string piece = "\"schedule\"";
        return recipe_from_json(sample_with(piece, "\"optimizer\": " + optimizer + ", " + piece), "x.json");
    };
    CHECK(read(R"({"name": "sgd"})") == sample());
    CHECK(to_json(sample()).find("optimizer") == std::string::npos);
    CHECK(to_json(sample()).find("then") == std::string::npos);
    CHECK(read(R"({"name": "adamw"})").network.optimizer ==
          OptimizerConfig{.kind = OptimizerKind::adamw, .weight_decay = 0.01});
    for (const OptimizerConfig& optimizer :
         {OptimizerConfig{.weight_decay = 0.1}, OptimizerConfig{.weight_decay = 0.1, .momentum = 0.9, .nesterov = true},
          OptimizerConfig{.kind = OptimizerKind::adamw},
          OptimizerConfig{.kind = OptimizerKind::adamw, .weight_decay = 0.3, .beta1 = 0, .beta2 = 0.5, .epsilon = 2}}) {
        Recipe recipe = sample();
        recipe.network.optimizer = optimizer;
        recipe.rates = {{0, 0.5, RateThen::linear}, {3, 2, RateThen::cosine}, {9, 0.25}};
        check_written(recipe);
        CHECK_FALSE(differences(sample(), recipe).empty());
    }
    Recipe momentum = sample(), adamw = sample();
    momentum.network.optimizer.momentum = 0.9;
    adamw.network.optimizer.kind = OptimizerKind::adamw;
    const std::vector<std::string> all = differences(momentum, adamw);
    CHECK(std::ranges::find(all, "optimizer.name (\"sgd\" there, \"adamw\" here)") != all.end());
}

// The sample with this list in place of the equivalent fields.
std::string listed(const std::string& layers) {
    const std::string widths = R"("hidden": [11, 1, 13], "bias": {"hidden": false, "output": false})";
    const std::string places = R"("place": "after", "output": true, )";
    std::string text = kSample;
    text.replace(text.find(widths), widths.size(), "\"layers\": " + layers);
    return text.erase(text.find(places), places.size());
}

TEST_CASE("recipe: a list of layers that the short form can express becomes the short form") {
    const Recipe recipe = sample();
    CHECK(
        recipe_from_json(listed(R"([{"op": "linear", "outputs": 11, "bias": false}, {"op": "tanh"}, {"op": "batchnorm"},
                                      {"op": "linear", "outputs": 1, "bias": false}, {"op": "tanh"}, {"op": "batchnorm"},
                                      {"bias": false, "outputs": 13, "op": "linear"}, {"op": "tanh"}, {"op": "batchnorm"},
                                      {"op": "linear", "bias": false}, {"op": "batchnorm"}])"),
                         "x.json") == recipe);
}

TEST_CASE("recipe: a list of layers that the short form can't express is kept, and written again") {
    const Recipe read = recipe_from_json(
        listed(R"([{"op": "linear", "outputs": 5}, {"op": "linear", "outputs": 3, "bias": false}, {"op": "batchnorm"},
                   {"op": "linear"}, {"op": "tanh"}])"),
        "x.json");
    using List = std::vector<OperationConfig>;
    CHECK(read.network.layers == List{{"linear", 5}, {"linear", 3, false}, {"batchnorm"}, {"linear"}, {"tanh"}});
    CHECK(read.network.norm.epsilon == 0.001);
    CHECK(!read.network.norm.affine);
    CHECK_FALSE(short_form_of(read.network.layers));
    check_written(read);
    CHECK(to_json(read, true) == to_json(read));

    Recipe other = read;
    hidden_linears(other.network)[1]->outputs = 4;
    CHECK(differences(read, other) == std::vector<std::string>{"network.layers.1.outputs (3 there, 4 here)"});

    // Without a norm, its conventions are ignored.
    const Recipe plain = recipe_from_json(listed(R"([{"op": "linear"}])"), "x.json");
    CHECK(test::widths(plain.network).empty());
    check_written(plain);
}

TEST_CASE("recipe: one activation for all hidden layers is short; different ones, or another slope, are listed") {
    Recipe recipe = sample();
    test::set(recipe.network, &ShortForm::activation, op::kLeakyRelu);
    check_written(recipe);

    std::vector<OperationConfig> list = recipe.network.layers;
    const auto last = std::ranges::find(list.rbegin(), list.rend(), op::kLeakyRelu, &OperationConfig::op);
    for (const OperationConfig& other : {OperationConfig{"gelu"}, OperationConfig{op::kLeakyRelu, 0, true, 0.2}}) {
        *last = other;
        Recipe mixed = recipe;
        mixed.network = with_layers(recipe.network, list);
        CHECK_FALSE(short_form_of(mixed.network.layers));
        CHECK(mixed.network.layers == list);
        check_written(mixed);
    }
}

TEST_CASE("recipe: another kind of norm for all hidden layers is short; norms with their own options are listed") {
    Recipe recipe = sample();
    for (const char* kind : {op::kLayernorm, op::kRmsnorm}) {
        test::set(recipe.network, &ShortForm::norm, kind);
        check_written(recipe);
    }
    const Recipe read =
        recipe_from_json(listed(R"([{"op": "linear", "outputs": 5}, {"op": "layernorm", "affine": true, "epsilon": 0.5},
                   {"op": "batchnorm", "momentum": 0.25}, {"op": "linear"}, {"op": "rmsnorm"}])"),
                         "x.json");
    const std::vector<OperationConfig> list = read.network.layers;
    CHECK(list[1].affine == true);
    CHECK(list[1].epsilon == 0.5);
    CHECK(list[2].momentum == 0.25);
    check_written(read);

    // Options that are not its own are the network's: see kSample.
    const std::vector<Operation> all = operations(read.network);
    CHECK(all[3].norm.affine);
    CHECK(all[3].norm.epsilon == 0.5);
    CHECK(all[4].norm.momentum == 0.25);
    CHECK(all[4].norm.epsilon == 0.001);
    CHECK(all[4].norm.running_spread == RunningSpread::deviation);
    CHECK_FALSE(all[4].norm.affine);
    CHECK(all[6].norm.momentum == read.network.norm.momentum);
}

TEST_CASE("recipe: residual connections and a tied output are short for a list") {
    Recipe recipe = sample();
    test::set(recipe.network, &ShortForm::hidden, {9, 9});
    recipe.network.embedding = 9;
    test::set(recipe.network, &ShortForm::residual, true);
    test::set(recipe.network, &ShortForm::tied, true);
    check_written(recipe);
    const Recipe read = recipe_from_json(
        listed(R"([{"op": "linear", "outputs": 5}, {"op": "tanh"}, {"op": "linear", "outputs": 5}, {"op": "relu"},
                   {"op": "residual", "from": 0}, {"op": "linear", "tied": true}])"),
        "x.json");
    const std::vector<OperationConfig> list = read.network.layers;
    CHECK(list[4].op == "residual");
    CHECK(list[4].from == 0);
    CHECK(list[5].tied);
    CHECK_FALSE(list[2].tied);
    check_written(read);
}

TEST_CASE("recipe: an invalid list of layers is refused, and so are equivalent fields beside it") {
    const auto refusal = [](const std::string& text) {
        return test::message_of([&] { recipe_from_json(text, "x.json"); });
    };
    const std::string where = "recipe x.json: network";
    CHECK(refusal(listed("[]")) == where + ".layers: is an array of 0, takes an array of 1 to 512");
    const std::string unknown = refusal(listed(R"([{"op": "conv"}])"));
    CHECK(unknown.starts_with(where + ".layers[0].op: is \"conv\", takes \"batchnorm\", \"dropout\", "));
    for (const std::string& name : listed_operations()) {
        CHECK(unknown.find("\"" + name + "\"") != std::string::npos);
    }
    CHECK(refusal(listed(R"([{"op": "linear", "outputs": 3}, {"op": "tanh", "outputs": 3}, {"op": "linear"}])")) ==
          where + ".layers[1].outputs: is 3, but goes with a linear only: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear", "outputs": 3}, {"op": "tanh", "bias": true}, {"op": "linear"}])")) ==
          where + ".layers[1].bias: is true, but goes with a linear only: leave it out");
    CHECK(refusal(
              listed(R"([{"op": "linear", "outputs": 3}, {"op": "relu", "negative_slope": 0.1}, {"op": "linear"}])")) ==
          where + ".layers[1].negative_slope: is 0.1, but goes with a leaky_relu only: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear"}], "activation": "relu")")) ==
          where + ".activation: is \"relu\", but \"layers\" lists every operation: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear", "epsilon": 0.5}])")) ==
          where + ".layers[0].epsilon: is 0.5, but goes with a norm only: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear"}, {"op": "rmsnorm", "momentum": 0.5}])")) ==
          where + ".layers[1].momentum: is 0.5, but goes with a batchnorm only: leave it out");
    CHECK(refusal(listed(R"([{"op": "flatten"}, {"op": "linear"}])")) ==
          where + R"(.layers[0]: is a flatten without "positions": say how many it joins)");
    CHECK(refusal(listed(R"([{"op": "linear", "outputs": 3}, {"op": "residual"}, {"op": "linear"}])")) ==
          where + R"(.layers[1]: is a residual without "from": say which operation of the list, from 0, makes what it )"
                  "adds");
    CHECK(refusal(listed(R"([{"op": "linear", "from": 0}])")) ==
          where + ".layers[0].from: is 0, but goes with a residual only: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear", "outputs": 3}, {"op": "residual", "from": 0}, {"op": "linear"}])")) ==
          where + ".layers[1]: from: layers[0] is already the residual's input; none before it fits");
    CHECK(refusal(listed(R"([{"op": "linear"}, {"op": "dropout", "p": 1}])")) ==
          where + ".layers[1].p: is 1, which drops everything: give less");
    CHECK(refusal(listed(R"([{"op": "linear"}, {"op": "dropout", "p": 0}])")) ==
          where + ".layers[1].p: is 0, which drops nothing: leave the dropout out");
    CHECK(refusal(listed(R"([{"op": "linear"}, {"op": "dropout", "p": -0.1}])")) ==
          where + ".layers[1].p: is -0.1, takes a number from 0 to 1");
    CHECK(refusal(listed(R"([{"op": "linear", "p": 0.1}])")) ==
          where + ".layers[0].p: is 0.1, but goes with a dropout only: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear"}, {"op": "tanh", "tied": true}])")) ==
          where + ".layers[1].tied: is true, but goes with a linear only: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear"}], "residual": true)")) ==
          where + ".residual: is true, but \"layers\" lists every operation: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear", "positions": 2}])")) ==
          where + ".layers[0].positions: is 2, but goes with a flatten only: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear", "outputs": 3}, {"op": "flatten", "positions": 2}, {"op": "tanh"},
                             {"op": "linear"}])")) ==
          where + ".layers[1]: a flatten must be followed by a linear: add one after it");
    CHECK(refusal(listed(R"([{"outputs": 3}])")) == where + ".layers[0].op: is missing; add it");
    CHECK(refusal(listed(R"([{"op": "linear", "outputs": 0}])"))
              .starts_with(where + ".layers[0].outputs: is 0, takes a whole number from 1"));
    CHECK(refusal(listed(R"([{"op": "tanh"}, {"op": "linear"}])")) ==
          where + ".layers[0]: \"tanh\" comes before the first linear: begin with a linear or a flatten");
    CHECK(refusal(listed(R"([{"op": "linear"}], "hidden": [3])")) ==
          where + ".hidden: is an array of 1, but \"layers\" lists every operation: leave it out");
    CHECK(refusal(listed(R"([{"op": "linear"}], "bias": {})")) ==
          where + ".bias: is an object, but \"layers\" lists every operation: leave it out");
    std::string with_place = listed(R"([{"op": "linear"}])");
    with_place.replace(with_place.find("\"affine\""), 0, "\"output\": true, ");
    CHECK(refusal(with_place) ==
          where + ".norm.output: is true, but \"layers\" determines where the norms are: leave it out");
}

TEST_CASE("recipe: differences name each key that determines a step, and no other") {
    const Recipe there = sample();
    Recipe here = there;
    here.name = "another";
    here.about = "another";
    ++here.steps;
    ++here.sample_seed;
    CHECK(differences(there, here).empty());
    here.batch = there.batch + 1;
    test::set(here.network, &ShortForm::hidden, {11, 1, 13, 9});
    const std::string last = std::to_string(test::widths(there.network).size()), batch = std::to_string(there.batch);
    CHECK(differences(there, here) ==
          std::vector<std::string>{"batches.size (" + batch + " there, " + std::to_string(here.batch) + " here)",
                                   "network.hidden." + last + " (\"nothing\" there, 9 here)"});
}

TEST_CASE("recipe: omitted keys have the structs' defaults") {
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
    CHECK(short_form_of(without.network.layers).value().norm_place == "none");
    const auto begin = kSample.find("{\"place\"");
    const std::string norm = kSample.substr(begin, kSample.find('}', begin) + 1 - begin);
    const NetworkConfig none = recipe_from_json(sample_with(norm, "{\"place\": \"none\"}"), "x.json").network;
    CHECK(none.norm == NormConfig());
    CHECK(short_form_of(none.layers).value().norm_place == "none");
    CHECK(recipe_from_json(sample_with("\"seed\": 3", "\"seed\": null"), "x.json").batch_seed == std::nullopt);
}

TEST_CASE("recipe: the parts of a batch are read and written, 1 by default and at most one per row") {
    const auto with_parts = [](const std::string& parts) {
        return recipe_from_json(sample_with("\"seed\": 3}", "\"seed\": 3, \"parts\": " + parts + "}"), "x.json");
    };
    CHECK(recipe_from_json(kSample, "x.json").parts == 1);
    const Recipe recipe = with_parts("17");
    CHECK(recipe.parts == 17);
    check_written(recipe);
    CHECK(differences(recipe, with_parts("5")) == std::vector<std::string>{"batches.parts (17 there, 5 here)"});
    CHECK_THROWS_AS(with_parts("18"), InputError);
    CHECK_THROWS_AS(with_parts("0"), InputError);
}

TEST_CASE("recipe: the momentum of the old value is converted to the weight of the new") {
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

TEST_CASE("recipe: no epsilon is an epsilon of 0") {
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

TEST_CASE("recipe: the rate of a step is that of the last entry at or before it") {
    Recipe recipe;
    recipe.rates = {{0, 0.5}, {3, 0.25}, {7, 0.125}};
    CHECK(rate_at(recipe, 0) == 0.5);
    CHECK(rate_at(recipe, 2) == 0.5);
    CHECK(rate_at(recipe, 3) == 0.25);
    CHECK(rate_at(recipe, 6) == 0.25);
    CHECK(rate_at(recipe, 7) == 0.125);
    CHECK(rate_at(recipe, 1'000'000) == 0.125);
}
