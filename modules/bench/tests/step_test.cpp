#include "bench/step.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/network.h"
#include "fast/simd/product.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "train/small_run.h"

using namespace byhand;

namespace {

// The other implementation: the stepwise network, which is correct, with an optional mistake.
enum class Mistake { none, loss, rate, forgets, not_finite };

class Other final : public Trainable {
public:
    Other(const NetworkConfig& config, std::size_t rows, Mistake mistake)
        : model_(make_step_model(stepwise_graph(config, rows))), mistake_(mistake) {}

    void load(const Tensors<float>& state) override { model_->load(state); }
    void run(const Batch&, float) override {}
    std::vector<View> views() const override { return {}; }
    Tensors<float> save() const override { return model_->save(); }
    float train_step(const Batch& batch, float rate) override {
        ++steps_;
        const bool forgets = mistake_ == Mistake::forgets && steps_ > 20;  // stops updating after the first ten steps
        const float loss = model_->train_step(batch, mistake_ == Mistake::rate ? 1.01F * rate : forgets ? 0 : rate);
        return mistake_ == Mistake::loss         ? 1.001F * loss
               : mistake_ == Mistake::not_finite ? std::numeric_limits<float>::quiet_NaN()
                                                 : loss;
    }
    void logits(std::span<float> out, std::span<const std::int64_t> X) override { model_->logits(out, X); }
    void calibrate(std::span<const std::int64_t> X) override { model_->calibrate(X); }

private:
    std::unique_ptr<Trainable> model_;
    Mistake mistake_;
    std::size_t steps_ = 0;
};

template <Mistake mistake>
torch_ref::Factory factory() {
    torch_ref::Factory factory{};
    factory.module_model = [](const NetworkConfig& config, std::size_t rows, Keep,
                              const Division&) -> std::unique_ptr<Trainable> {
        return std::make_unique<Other>(config, rows, mistake);
    };
    return factory;
}

template <Mistake mistake>
bool agrees() {
    const torch_ref::Factory other = factory<mistake>();
    return bench::agree(*bench::step_times(small_run::run(), &other, 1, 2).losses, 16);
}

}  // namespace

TEST_CASE("step: two correct implementations have the same losses, and a different computation is detected") {
    const torch_ref::Factory other = factory<Mistake::none>();
    const bench::StepTimes times = bench::step_times(small_run::run(), &other, 1, 4);
    CHECK(times.rounds.theirs.seconds.size() == 4);
    REQUIRE(times.losses);
    CHECK(times.losses->apart < bench::kApart / 10);
    CHECK(std::isfinite(times.losses->ours));
    CHECK(times.losses->ours > 0);
    CHECK(times.losses->torch > 0);
    CHECK_FALSE(agrees<Mistake::loss>());
    CHECK_FALSE(agrees<Mistake::rate>());
    CHECK_FALSE(agrees<Mistake::forgets>());
    CHECK_FALSE(agrees<Mistake::not_finite>());
}

TEST_CASE("step: for batches whose rows may all be equal, only non-finite values are reported") {
    CHECK(bench::agree({1, 1, 0.01}, 3));
    CHECK_FALSE(bench::agree({1, 1, 0.01}, 4));
    CHECK(bench::agree({1, 1, 1e-5}, 4));
    CHECK_FALSE(bench::agree({1, 1, std::numeric_limits<double>::quiet_NaN()}, 3));
}

TEST_CASE(
    "step: the products of other libraries take turns, with LibTorch and without, and their losses are compared") {
    // byhand's products, and after a factor they are wrong.
    class Scaled final : public simd::Products {
    public:
        explicit Scaled(float factor) : factor_(factor) {}
        void linear_forward(float* y, const Panels& x, const float* W, const float* b, const RowRange& rows,
                            const Panel& p) const override {
            right_.linear_forward(y, x, W, b, rows, p);
            for (std::size_t at = rows.first * p.stride(); at < rows.last * p.stride(); ++at) {
                y[at] *= factor_;
            }
        }

        void linear_input_backward(float* dx, const Panels& dy, const Panels& W, float* scratch, const RowRange& rows,
                                   const Panel& q) const override {
            right_.linear_input_backward(dx, dy, W, scratch, rows, q);
        }
        void linear_weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p,
                                    std::size_t n) const override {
            right_.linear_weight_backward(dW, x, q, dy, p, n);
        }
        void linear_descend(const simd::Descent& descent, float* dW, bool kept, const float* x, const Panel& q,
                            const float* dy, const Panel& p, std::size_t n) const override {
            right_.linear_descend(descent, dW, kept, x, q, dy, p, n);
        }

    private:
        const simd::Products& right_ = simd::products();
        float factor_;
    };
    const auto peer = [](const char* name, float factor) {
        return peers::Peer{.name = name, .packed = {}, .products = std::make_shared<Scaled>(factor)};
    };
    const std::vector<peers::Peer> all = {peer("Right", 1), {.name = "Single products", .packed = {}, .products = {}}};
    const torch_ref::Factory other = factory<Mistake::none>();
    for (const torch_ref::Factory* torch : {static_cast<const torch_ref::Factory*>(nullptr), &other}) {
        const bench::StepTimes times = bench::step_times(small_run::run(), torch, 1, 3, all);
        CHECK(times.rounds.ours.seconds.size() == 3);
        CHECK(times.rounds.theirs.seconds.empty() == (torch == nullptr));
        CHECK(times.losses.has_value() == (torch != nullptr));
        REQUIRE(times.peers.size() == 1);
        CHECK(times.peers.front().name == "Right");
        REQUIRE(times.rounds.peers.size() == 1);
        CHECK(times.rounds.peers.front().seconds.size() == 3);
        CHECK(times.peers.front().apart == 0);
        const std::vector<peers::Peer> one = {peer("Wrong", 1.01F)};
        CHECK(bench::step_times(small_run::run(), torch, 1, 2, one).peers.front().apart > bench::kApart);
    }
}

TEST_CASE("step: a norm with other conventions becomes BatchNorm1d's") {
    Recipe recipe = small_run::recipe();
    CHECK(bench::with_batch_norm_1d(recipe) == recipe);
    recipe.network.norm = {.affine = false,
                           .batch_divisor = Divisor::n_minus_1,
                           .running_divisor = Divisor::n,
                           .running_spread = RunningSpread::deviation,
                           .evaluation = EvaluationFigures::training_set,
                           .momentum = 0.001,
                           .epsilon_place = EpsilonPlace::outside,
                           .epsilon = 0};
    const Recipe changed = bench::with_batch_norm_1d(recipe);
    const NormConfig& norm = changed.network.norm;
    CHECK(is_batch_norm_1d(norm));
    CHECK(norm == NormConfig{.affine = false,
                             .batch_divisor = Divisor::n,
                             .running_divisor = Divisor::n_minus_1,
                             .running_spread = RunningSpread::variance,
                             .evaluation = EvaluationFigures::running,
                             .momentum = 0.001,
                             .epsilon_place = EpsilonPlace::inside,
                             .epsilon = 1e-5});
    test::set(recipe.network, &ShortForm::norm_place, "none");
    CHECK(bench::with_batch_norm_1d(recipe) == recipe);
}
