#include <catch2/catch_test_macros.hpp>

#include "lab/figures.h"

using namespace byhand;

TEST_CASE("a schedule in other steps: each rate holds for the same share") {
    Recipe recipe;
    recipe.steps = 200;
    recipe.rates = {{0, 0.1}, {50, 0.5}, {100, 0.01}};
    const Recipe shorter = lab::in_steps(recipe, 30);
    CHECK(shorter.steps == 30);
    CHECK(shorter.rates == std::vector<RateFrom>{{0, 0.1}, {8, 0.5}, {15, 0.01}});
    CHECK(lab::in_steps(recipe, 2000).rates == std::vector<RateFrom>{{0, 0.1}, {500, 0.5}, {1000, 0.01}});
    CHECK(lab::in_steps(recipe, 200) == recipe);
    // A rate that the recipe never came to stays out of reach, also of a recipe without steps.
    recipe.rates = {{0, 0.1}, {kMostSteps, 0.01}};
    CHECK(rate_at(lab::in_steps(recipe, 10'000'000), 9'999'999) == 0.1);
    recipe.steps = 0;
    CHECK(rate_at(lab::in_steps(recipe, 7), 6) == 0.1);
}
