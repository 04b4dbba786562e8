// What the handwritten models have in common.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/model.h"
#include "base/value.h"
#include "manual/evaluation.h"

namespace byhand {

// Evaluates by the formulas of its network, or by what takes their place.
class HandModel : public Trainable {
public:
    explicit HandModel(NetworkConfig config, ReplaceSteps replace = nullptr)
        : config_(std::move(config)), replace_(replace) {}

    void logits(std::span<float> out, std::span<const std::int64_t> X) override { evaluation().logits(out, X); }

    void calibrate(std::span<const std::int64_t> X) override {
        Tensors<float> state = save();
        evaluation().calibrate(X);
        evaluation_->save_running_figures(state);
        load(state);
    }

private:
    // Of the current state. It takes memory of its own, which a model that is only compared does not need.
    Evaluation& evaluation() {
        if (!evaluation_) {
            evaluation_.emplace(config_, replace_);
        }
        evaluation_->load(save());
        return *evaluation_;
    }

    NetworkConfig config_;
    ReplaceSteps replace_;
    std::optional<Evaluation> evaluation_;
};

// The state among the tensors of a network, and what an update makes of it. What no step updates stays.
template <class T>
class StateInPlace {
public:
    StateInPlace(Tensors<T>& tensors, const NetworkConfig& config) : table_(state(config)) {
        for (const TensorSpec& spec : table_) {
            const std::string update = update_of(spec.name);
            changed_.push_back({tensors[spec.name], tensors.contains(update) ? tensors[update] : std::span<T>()});
        }
    }

    Tensors<float> save() const {
        Tensors<float> saved(table_);
        for (std::size_t i = 0; i < table_.size(); ++i) {
            std::ranges::transform(changed_[i].old, saved[table_[i].name].begin(),
                                   [](T x) { return static_cast<float>(x); });
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
        std::span<T> old;
        std::span<const T> updated;
    };
    std::vector<TensorSpec> table_;
    std::vector<ChangedTensor> changed_;
};

}  // namespace byhand
