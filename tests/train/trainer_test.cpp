#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "names/dataset.h"
#include "train/fake_model.h"
#include "train/run.h"

using namespace byhand;
using test::FakeModel;

namespace {

Run run_of_seven() {
    Run run;
    run.recipe.batch = 3;
    run.recipe.network.context = 2;
    run.recipe.rates = {{0, 0.5}, {3, 0.1}};
    run.train = {2, {0, 0, 1, 2, 3, 4, 5, 6, 0}};
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
            .stop = [&told, stop_when_asked] { return ++told.asked == stop_when_asked; },
            .checkpoint_every = 0,
            .checkpoint = {}};
}

// Its only parameter counts the steps, and is infinite from step `bad` on. A batch other than that step's is reported.
class Counter final : public Trainable {
public:
    std::size_t bad = 1'000'000;
    std::vector<std::vector<std::int64_t>> X;  // by step, as last seen
    bool saw_the_same = true;

    Counter() : state_(std::vector<TensorSpec>{{"C", {1}}, {"W1", {1}}}) {
        state_["C"][0] = 1;
        state_["W1"][0] = 0;
    }
    void load(const Tensors<float>& state) override { state_ = state; }
    void run(const Batch&, float) override {}
    std::vector<View> views() const override { return {}; }
    Tensors<float> save() const override { return state_; }
    float train_step(const Batch& batch, float) override {
        if (!std::isfinite(state_["W1"][0])) {
            return 1;
        }
        const auto step = static_cast<std::size_t>(state_["W1"][0]);
        X.resize(std::max(X.size(), step + 1));
        const std::vector<std::int64_t> seen(batch.X, batch.X + batch.rows * 2);
        saw_the_same = saw_the_same && (X[step].empty() || X[step] == seen);
        X[step] = seen;
        state_["W1"][0] = step == bad ? std::numeric_limits<float>::infinity() : static_cast<float>(step + 1);
        return 1;
    }
    void logits(std::span<float>, std::span<const std::int64_t>) override {}
    void calibrate(std::span<const std::int64_t>) override {}

private:
    Tensors<float> state_;
};

}  // namespace

TEST_CASE("trainer: every step draws its own batch from the run's generator, with the step's rate") {
    Run run = run_of_seven();
    FakeModel model;
    model.context = 2;
    model.loss = [](std::size_t step) { return 3.0F - static_cast<float>(step); };
    Told told;
    const TrainOutcome outcome = train(model, run, 0, 5, telling(told));
    CHECK(outcome.steps == 5);
    CHECK_FALSE(outcome.stopped);
    CHECK_FALSE(outcome.not_finite);
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

TEST_CASE("trainer: training resumes where it stopped") {
    Run whole = run_of_seven(), parts = run_of_seven();
    FakeModel one, two;
    one.context = two.context = 2;
    Told told;
    train(one, whole, 0, 6, telling(told));
    CHECK(train(two, parts, 0, 4, telling(told)).steps == 4);
    CHECK(train(two, parts, 4, 6, telling(told)).steps == 6);
    CHECK(one.X == two.X);
    CHECK(one.rates == two.rates);
    CHECK(whole.generator == parts.generator);
}

TEST_CASE("trainer: zero steps change nothing") {
    Run run = run_of_seven();
    FakeModel model;
    Told told;
    CHECK(train(model, run, 0, 0, telling(told)).steps == 0);
    CHECK(told.steps.empty());
    CHECK(model.rates.empty());
    CHECK(run.generator == torch_seeded(11));
}

TEST_CASE("trainer: it stops before the requested step") {
    for (const std::size_t when : {1U, 3U}) {
        Run run = run_of_seven();
        FakeModel model;
        Told told;
        const TrainOutcome outcome = train(model, run, 0, 5, telling(told, when));
        CHECK(outcome.stopped);
        CHECK_FALSE(outcome.not_finite);
        CHECK(outcome.steps == when - 1);
        CHECK(told.steps.size() == when - 1);
        CHECK(model.rates.size() == when - 1);
    }
}

TEST_CASE("trainer: a loss that is not finite is reported, and ends the training") {
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
        for (const std::size_t when : {0U, 2U, 4U}) {
            Run run = run_of_seven();
            FakeModel model;
            model.loss = [&](std::size_t step) { return step == when ? bad : 2.0F; };
            Told told;
            const TrainOutcome outcome = train(model, run, 0, 5, telling(told));
            REQUIRE(outcome.not_finite);
            CHECK(outcome.not_finite->name == "loss");
            CHECK(outcome.not_finite->step == when);
            CHECK_FALSE(outcome.stopped);
            CHECK(outcome.steps == when + 1);
            CHECK(told.steps.back() == when);
            CHECK_FALSE(std::isfinite(told.losses.back()));
        }
    }
}

TEST_CASE("trainer: a parameter that is not finite is traced to its step, by repeating the same batches") {
    for (const std::size_t bad : {0U, 1U, 700U, 999U, 1000U, 1003U, 2498U}) {
        CAPTURE(bad);
        Run run = run_of_seven();
        Counter model;
        model.bad = bad;
        Told told;
        const TrainOutcome outcome = train(model, run, 0, 2500, telling(told));
        REQUIRE(outcome.not_finite);
        CHECK(outcome.not_finite->name == "W1");
        CHECK(outcome.not_finite->step == bad);
        CHECK(outcome.not_finite->state["W1"][0] == static_cast<float>(bad));
        CHECK(outcome.not_finite->batch.X == model.X[bad]);
        CHECK(outcome.steps == bad + 1);
        CHECK(model.saw_the_same);
        CHECK(told.steps.size() >= bad + 1);
        CHECK(told.steps.size() <= bad + 1001);
    }
}

TEST_CASE("trainer: checkpoints are called after their number of steps, except at the end and for non-finite values") {
    const auto checkpoints = [](std::size_t bad, std::size_t first, std::size_t end) {
        Run run = run_of_seven();
        Counter model;
        model.bad = bad;
        Told told;
        TrainHooks hooks = telling(told);
        std::vector<std::size_t> seen;
        hooks.checkpoint_every = 4;
        hooks.checkpoint = [&](std::size_t steps) { seen.push_back(steps); };
        Tensors<float> state = model.save();
        state["W1"][0] = static_cast<float>(first);
        model.load(state);
        train(model, run, first, end, hooks);
        return seen;
    };
    using Steps = std::vector<std::size_t>;
    CHECK(checkpoints(99, 0, 13) == Steps{4, 8, 12});
    CHECK(checkpoints(99, 0, 12) == Steps{4, 8});
    CHECK(checkpoints(99, 6, 17) == Steps{8, 12, 16});
    CHECK(checkpoints(6, 0, 13) == Steps{4});
}
