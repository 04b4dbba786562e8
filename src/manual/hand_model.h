// What the handwritten models have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/model.h"
#include "base/value.h"
#include "manual/evaluation.h"

namespace byhand {

// Evaluates by the formulas of its network, or by what takes their place.
class HandModel : public Model {
public:
    explicit HandModel(const NetworkConfig& config, ReplaceSteps replace = nullptr) : evaluation_(config, replace) {}

    void logits(std::span<float> out, std::span<const std::int64_t> X) override {
        evaluation_.load(save());
        evaluation_.logits(out, X);
    }

    void calibrate(std::span<const std::int64_t> X) override {
        Tensors<float> state = save();
        evaluation_.load(state);
        evaluation_.calibrate(X);
        evaluation_.save_running_figures(state);
        load(state);
    }

private:
    Evaluation evaluation_;
};

// The state among the tensors of a network, and what an update makes of it.
class StateInPlace {
public:
    StateInPlace(Tensors<float>& tensors, const NetworkConfig& config) : table_(state(config)) {
        for (const TensorSpec& spec : table_) {
            changed_.push_back({tensors[spec.name], tensors[update_of(spec.name)]});
        }
    }

    Tensors<float> save() const {
        Tensors<float> saved(table_);
        for (std::size_t i = 0; i < table_.size(); ++i) {
            std::ranges::copy(changed_[i].old, saved[table_[i].name].begin());
        }
        return saved;
    }

    void commit() {
        for (const auto& [old, updated] : changed_) {
            std::ranges::copy(updated, old.begin());
        }
    }

private:
    struct ChangedTensor {
        std::span<float> old;
        std::span<const float> updated;
    };
    std::vector<TensorSpec> table_;
    std::vector<ChangedTensor> changed_;
};

}  // namespace byhand
