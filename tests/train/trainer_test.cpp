#include "train/trainer.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "names/batches.h"
#include "train/fake_model.h"

using namespace byhand;
using test::FakeModel;

namespace {

Run run_of_seven() {
    Run run;
    run.recipe.batch = 3;
    run.recipe.network.context = 2;
    run.recipe.rates = {{0, 0.5}, {3, 0.1}};
    run.train = {2, {0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6}, {1, 2, 3, 4, 5, 6, 0}};
    run.generator = torch_seeded(11);
    return run;
}

struct Told {
    std::vector<std::size_t> steps;
    std::vector<float> losses;
    std::size_t asked = 0;
};

TrainHooks telling(Told& told, std::size_t stop_when_asked = 1'000'000) {
    return {.after_step =
                [&told](std::size_t step, float loss) {
                    told.steps.push_back(step);
                    told.losses.push_back(loss);
                },
            .stop = [&told, stop_when_asked] { return ++told.asked == stop_when_asked; }};
}

}  // namespace

TEST_CASE("every step draws its own batch from the run's generator, at the step's rate") {
    Run run = run_of_seven();
    FakeModel model;
    model.context = 2;
    model.loss = [](std::size_t step) { return 3.0F - static_cast<float>(step); };
    Told told;
    const TrainOutcome outcome = train(model, run, 5, telling(told));
    CHECK(outcome.steps == 5);
    CHECK_FALSE(outcome.stopped);
    CHECK(outcome.finite);
    CHECK(told.steps == std::vector<std::size_t>{0, 1, 2, 3, 4});
    CHECK(told.losses == std::vector<float>{3, 2, 1, 0, -1});
    CHECK(told.asked == 5);
    CHECK(model.rates == std::vector<float>{0.5F, 0.5F, 0.5F, 0.1F, 0.1F});

    const Run same = run_of_seven();
    TorchGenerator generator = torch_seeded(11);
    DrawnBatch batch(3, 2);
    for (std::size_t step = 0; step < 5; ++step) {
        draw_batch(batch, same.train, generator);
        CHECK(model.X[step] == batch.X);
        CHECK(model.Y[step] == batch.Y);
    }
    CHECK(model.X[0] != model.X[1]);
    CHECK(run.generator == generator);
}

TEST_CASE("training goes on where it was left") {
    Run whole = run_of_seven(), parts = run_of_seven();
    FakeModel one, two;
    one.context = two.context = 2;
    Told told;
    train(one, whole, 6, telling(told));
    train(two, parts, 4, telling(told));
    train(two, parts, 2, telling(told));
    CHECK(one.X == two.X);
    CHECK(whole.generator == parts.generator);
}

TEST_CASE("no steps are none") {
    Run run = run_of_seven();
    FakeModel model;
    Told told;
    CHECK(train(model, run, 0, telling(told)).steps == 0);
    CHECK(told.steps.empty());
    CHECK(model.rates.empty());
    CHECK(run.generator == torch_seeded(11));
}

TEST_CASE("it stops before the step at which it is told to") {
    for (const std::size_t when : {1U, 3U}) {
        Run run = run_of_seven();
        FakeModel model;
        Told told;
        const TrainOutcome outcome = train(model, run, 5, telling(told, when));
        CHECK(outcome.stopped);
        CHECK(outcome.finite);
        CHECK(outcome.steps == when - 1);
        CHECK(told.steps.size() == when - 1);
        CHECK(model.rates.size() == when - 1);
    }
}

TEST_CASE("a loss that is not finite is told of, and ends the training") {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        for (const std::size_t when : {0U, 2U, 4U}) {
            Run run = run_of_seven();
            FakeModel model;
            model.loss = [&](std::size_t step) { return step == when ? bad : 2.0F; };
            Told told;
            const TrainOutcome outcome = train(model, run, 5, telling(told));
            CHECK_FALSE(outcome.finite);
            CHECK_FALSE(outcome.stopped);
            CHECK(outcome.steps == when + 1);
            CHECK(told.steps.back() == when);
            CHECK_FALSE(std::isfinite(told.losses.back()));
        }
    }
}
