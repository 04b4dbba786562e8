// A model that does not learn, returns prescribed values, and records its inputs.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/model.h"

namespace byhand::test {

class FakeModel final : public Trainable {
public:
    // Recorded inputs and prescribed results.
    std::vector<std::vector<std::int64_t>> X, Y;  // of each training step
    std::vector<float> rates;
    std::function<float(std::size_t step)> loss = [](std::size_t) { return 1.0F; };

    std::vector<std::vector<std::int64_t>> asked;  // X of each call of logits
    std::size_t context = 1;
    // The logits after a context of T characters.
    std::function<std::vector<float>(std::span<const std::int64_t> context)> logits_of;

    void load(const Tensors<float>& state) override { state_ = state; }
    void run(const Batch&, float) override {}
    std::vector<View> views() const override { return {}; }
    Tensors<float> save() const override { return state_; }

    float train_step(const Batch& batch, float rate) override {
        X.emplace_back(batch.X, batch.X + batch.rows * context);
        Y.emplace_back(batch.Y, batch.Y + batch.rows);
        rates.push_back(rate);
        return loss(rates.size() - 1);
    }

    void logits(std::span<float> out, std::span<const std::int64_t> all) override {
        asked.emplace_back(all.begin(), all.end());
        std::size_t at = 0;
        for (std::size_t row = 0; row < all.size() / context; ++row) {
            for (const float logit : logits_of(all.subspan(row * context, context))) {
                out[at++] = logit;
            }
        }
    }

    void calibrate(std::span<const std::int64_t>) override {}

private:
    Tensors<float> state_;
};

}  // namespace byhand::test
