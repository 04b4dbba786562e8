// The shipped recipes and some names, for the experiments that train.
#pragma once

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/change_network.h"
#include "harness/drawn.h"
#include "lab/tests/read.h"
#include "recipe/recipe.h"

namespace lab_test {

inline byhand::Recipe recipe(const std::string& name) {
    const std::string path = path_of("recipes/" + name + ".json");
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return byhand::recipe_from_json(text.str(), path);
}

// Some of the shipped names: enough to train on for a few steps.
inline byhand::lab::Material few_names() {
    byhand::lab::Material few = names();
    few.names.names.resize(3000);
    return few;
}

// What an experiment works with: these recipes, so many seeds from `first` on, with LibTorch if it is there.
inline byhand::lab::Setup setup(std::vector<byhand::Recipe> recipes, std::size_t steps, std::uint64_t first = 3,
                                std::size_t seeds = 2) {
    byhand::lab::Setup made{
        .recipes = std::move(recipes), .material = few_names(), .seeds = {}, .steps = steps, .setting = setting()};
    for (std::size_t i = 0; i < seeds; ++i) {
        made.seeds.push_back(first + i);
    }
    return made;
}

// Five rows of two characters, two hidden layers of unequal width; γ and β drawn.
struct SmallNetwork {
    byhand::NetworkConfig config = byhand::test::network(7, 2, 3, {.hidden = {5, 4}});
    std::vector<std::int64_t> X = {0, 1, 2, 3, 4, 5, 6, 0, 3, 1}, Y = {1, 6, 2, 0, 4};
    byhand::Batch batch() const { return {Y.size(), X.data(), Y.data()}; }
    byhand::Tensors<float> initial() const { return byhand::drawn_state(config, 3); }
};

}  // namespace lab_test
