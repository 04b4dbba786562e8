#include "lab/figures.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <stdexcept>
#include <vector>

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;
using Sample = std::vector<double>;

TEST_CASE("mean and deviation of a sample") {
    const MeanAndDeviation figures = mean_and_deviation(Sample{2, 4, 4, 4, 5, 5, 7, 9});
    CHECK_THAT(figures.mean, WithinAbs(5, 1e-12));
    CHECK_THAT(figures.deviation, WithinAbs(std::sqrt(32.0 / 7), 1e-12));
    CHECK(mean_and_deviation(Sample{3}).deviation == 0);
}

TEST_CASE("cosine, norm and magnitude") {
    CHECK_THAT(cosine(Sample{3, 4}, Sample{4, 3}), WithinAbs(0.96, 1e-12));
    CHECK_THAT(cosine(Sample{1, -2}, Sample{-2, 4}), WithinAbs(-1, 1e-12));
    CHECK(norm(Sample{3, -4}) == 5);
    CHECK(largest_magnitude(Sample{3, -4}) == 4);
    CHECK(share(Sample{3, -4}, Sample{3, -2}) == 2 / 3.0);
    // A NaN stays visible, wherever it stands.
    CHECK(std::isnan(largest_magnitude(Sample{NAN, 1})));
    CHECK(std::isnan(largest_magnitude(Sample{1, NAN})));
    CHECK(std::isnan(share(Sample{1, NAN, 2}, Sample{1, 2, 3})));
}

TEST_CASE("the numbers of a table's column") {
    const Table table{"", {{"n", "n"}, {"loss", "loss"}}, {{whole(2), fixed(2.5, 1)}, {fixed(NAN, 1), fixed(1, 1)}}};
    CHECK(numbers_of_column(table, "loss") == std::vector<double>{2.5, 1});
    CHECK(numbers_of_column(table, "n")[0] == 2);
    CHECK(std::isnan(numbers_of_column(table, "n")[1]));
    CHECK_THROWS_AS(numbers_of_column(table, "N"), std::out_of_range);
}

TEST_CASE("a schedule in other steps: each rate holds for the same share") {
    Recipe recipe;
    recipe.steps = 200;
    recipe.rates = {{0, 0.1}, {50, 0.5}, {100, 0.01}};
    const Recipe shorter = in_steps(recipe, 30);
    CHECK(shorter.steps == 30);
    CHECK(shorter.rates == std::vector<RateFrom>{{0, 0.1}, {8, 0.5}, {15, 0.01}});
    CHECK(in_steps(recipe, 2000).rates == std::vector<RateFrom>{{0, 0.1}, {500, 0.5}, {1000, 0.01}});
    CHECK(in_steps(recipe, 200) == recipe);
    // A rate that the recipe never came to stays out of reach, also of a recipe without steps.
    recipe.rates = {{0, 0.1}, {kMostSteps, 0.01}};
    CHECK(rate_at(in_steps(recipe, 10'000'000), 9'999'999) == 0.1);
    recipe.steps = 0;
    CHECK(rate_at(in_steps(recipe, 7), 6) == 0.1);
}
