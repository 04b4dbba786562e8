#include "lab/training.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "base/change_network.h"
#include "base/same_bytes.h"
#include "fast/models.h"
#include "lab/figures.h"
#include "lab/tests/read.h"
#include "recipe/recipe.h"
#include "train/losses.h"
#include "train/run.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;

namespace {

Recipe recipe(std::uint64_t seed, std::size_t steps) {
    Recipe made;
    made.name = "small";
    test::set(made.network, &ShortForm::hidden, {13});
    made.network.embedding = 3;
    made.batch = 7;
    made.seed = seed;
    made.steps = steps;
    made.rates = {{0, 0.1}};
    for (const char* parameter : {"C", "W", "b", "bngain", "bnbias"}) {
        made.initial.push_back({.parameter = parameter, .layers = LayerSet::all, .normal = 0.2});
    }
    return made;
}

}  // namespace

TEST_CASE("a training of the lab is the trainer's own") {
    const Material material = lab_test::names();
    const Trained trained = train_one({.recipe = recipe(3, 250)}, material);
    Run run = prepare(recipe(3, 250), material.names, material.where);
    const auto model = make_hand_model(HandForm::fused, run.recipe.network, run.recipe.batch);
    model->load(run.initial);
    std::vector<double> losses;
    train(*model, run, 0, 250,
          {.after_step = [&](std::size_t, float loss) { losses.push_back(static_cast<double>(loss)); }});
    CHECK(test::first_different(trained.state, model->save()) == "");
    CHECK(trained.val == mean_loss(*model, run.val, run.recipe.network.vocabulary));
    REQUIRE(trained.curve.size() == 2);  // whole windows only
    CHECK_THAT(trained.curve[0], WithinAbs(mean_and_deviation({losses.begin(), losses.begin() + 100}).mean, 1e-9));
    CHECK_THAT(trained.late_deviation,
               WithinAbs(mean_and_deviation({losses.begin() + 125, losses.end()}).deviation, 1e-12));
    CHECK(trained.finite);
}

TEST_CASE("results of many trainings keep their order, whichever thread ran them") {
    const Material material = lab_test::names();
    std::vector<Training> trainings;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        trainings.push_back({.recipe = recipe(seed, 30)});
    }
    std::size_t counts = 0;
    const std::vector<Trained> all =
        train_all(trainings, material, {.progress = [&](std::size_t done, std::size_t) { counts = done; }});
    CHECK(counts == 5);
    for (std::size_t i = 0; i < trainings.size(); ++i) {
        CHECK(test::first_different(all[i].state, train_one(trainings[i], material).state) == "");
    }
    CHECK(test::first_different(all[0].state, all[1].state) != "");
}

TEST_CASE("what a training begins with can be changed, and it can be watched") {
    const Material material = lab_test::names();
    std::vector<std::size_t> watched;
    const Training changed{.recipe = recipe(3, 5),
                           .prepare = [](Run& run) { run.initial["W1"][0] = std::nanf(""); },
                           .watch = [&](std::size_t steps, Trainable&) { watched.push_back(steps); }};
    const Trained trained = train_one(changed, material);
    CHECK_FALSE(trained.finite);
    CHECK(std::isnan(trained.val));
    CHECK(std::isnan(trained.late_deviation));
    CHECK(watched == std::vector<std::size_t>{0, 1});
}

TEST_CASE("in_parallel: every part runs once, and each is counted when it ends") {
    for (const std::size_t parts : {0U, 1U, 2U, 7U, 100U}) {
        std::vector<int> runs(parts, 0);
        std::vector<std::size_t> counts;
        in_parallel(
            parts, [&](std::size_t part) { ++runs[part]; },
            [&](std::size_t done, std::size_t of) {
                CHECK(of == parts);
                counts.push_back(done);
            });
        CHECK(runs == std::vector<int>(parts, 1));
        REQUIRE(counts.size() == parts + 1);
        for (std::size_t i = 0; i <= parts; ++i) {
            CHECK(counts[i] == i);
        }
    }
}

TEST_CASE("what a part throws is thrown, and the rest is left") {
    std::vector<int> runs(1000, 0);
    CHECK_THROWS_AS(in_parallel(
                        runs.size(),
                        [&](std::size_t part) {
                            ++runs[part];
                            throw std::runtime_error("no");
                        },
                        [](std::size_t, std::size_t) {}),
                    std::runtime_error);
    CHECK(runs.back() == 0);
}
