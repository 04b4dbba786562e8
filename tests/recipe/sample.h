// A recipe in which no value is the default, as text and as the equivalent struct.
#pragma once

#include <string>

#include "base/change_network.h"
#include "recipe/recipe.h"

namespace byhand::test {

inline const std::string kSample = R"({
  "name": "odd",
  "about": "nothing by default",
  "network": {
    "context": 5, "embedding": 7, "hidden": [11, 1, 13], "bias": {"hidden": false, "output": false},
    "norm": {"place": "after", "output": true, "affine": false, "batch_divisor": "n", "running_divisor": "n",
             "running": "deviation", "momentum": 0.75, "momentum_of": "old", "epsilon": 0.001,
             "epsilon_place": "outside", "evaluation": "training-set"}
  },
  "initial": {"seed": 18446744073709551615, "rules": [
    {"parameter": "C", "normal": 0.5},
    {"parameter": "W", "layers": "hidden", "normal": -3, "over": "sqrt_fan_in", "plus": 0.25},
    {"parameter": "W", "layers": "output", "constant": 0.125}
  ]},
  "data": {"split_seed": 9, "split": [0.5, 0.625]},
  "batches": {"size": 17, "seed": 3},
  "schedule": {"steps": 19, "rates": [{"from": 0, "rate": 2}, {"from": 4, "rate": 0.1}]},
  "sample": {"seed": 23}
})";

inline Recipe sample() {
    Recipe recipe;
    recipe.name = "odd";
    recipe.about = "nothing by default";
    recipe.network.context = 5;
    recipe.network.embedding = 7;
    test::set(recipe.network, &ShortForm::hidden, {11, 1, 13});
    test::set(recipe.network, &ShortForm::hidden_bias, false);
    test::set(recipe.network, &ShortForm::output_bias, false);
    test::set(recipe.network, &ShortForm::norm_place, "after");
    test::set(recipe.network, &ShortForm::output_norm, true);
    recipe.network.norm.affine = false;
    recipe.network.norm.batch_divisor = Divisor::n;
    recipe.network.norm.running_divisor = Divisor::n;
    recipe.network.norm.running_spread = RunningSpread::deviation;
    recipe.network.norm.evaluation = EvaluationFigures::training_set;
    recipe.network.norm.momentum = 0.25;
    recipe.network.norm.epsilon = 0.001;
    recipe.network.norm.epsilon_place = EpsilonPlace::outside;
    recipe.seed = 18446744073709551615U;
    recipe.initial = {{"C", LayerSet::all, 0.5, false, 0},
                      {"W", LayerSet::hidden, -3.0, true, 0.25},
                      {"W", LayerSet::output, std::nullopt, false, 0.125}};
    recipe.split_seed = 9;
    recipe.first_cut = 0.5;
    recipe.second_cut = 0.625;
    recipe.batch = 17;
    recipe.batch_seed = 3;
    recipe.steps = 19;
    recipe.rates = {{0, 2}, {4, 0.1}};
    recipe.sample_seed = 23;
    return recipe;
}

inline InitialRule constant(const std::string& parameter, double value, LayerSet layers = LayerSet::all) {
    return {parameter, layers, std::nullopt, false, value};
}

// kSample with one piece of it replaced. Precondition: it contains the piece.
inline std::string sample_with(const std::string& piece, const std::string& other) {
    std::string text = kSample;
    return text.replace(text.find(piece), piece.size(), other);
}

}  // namespace byhand::test
