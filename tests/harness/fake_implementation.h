// An implementation that computes nothing: the elements of each tensor count up from one value. And networks small
// enough to list all their values.
#pragma once

#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "base/change_network.h"
#include "base/model.h"

namespace byhand::test {

// T·E = 2 inputs, one hidden layer of 3 with a norm before tanh, V = 5.
inline NetworkConfig small_network(const std::string& place = "before") {
    return test::network(5, 1, 2, {.hidden = {3}, .norm_place = place});
}

// The values that every implementation must have: parameters and running statistics, loss and logits, a gradient of
// each parameter, new_X.
inline std::vector<TensorSpec> least_table(const NetworkConfig& config, std::size_t rows) {
    std::vector<TensorSpec> table = state(config);
    table.push_back({"logits", {rows, config.vocabulary}});
    table.push_back({"loss", {}});
    for (const TensorSpec& spec : parameters(config)) {
        table.push_back({"d" + spec.name, spec.shape});
    }
    for (const TensorSpec& spec : state(config)) {
        table.push_back({"new_" + spec.name, spec.shape});
    }
    return table;
}

// value, value + 1, value + 2, … (all equal would show nothing).
inline void count_from(Tensors<float>& tensors, const std::string& name, float value) {
    std::iota(tensors[name].begin(), tensors[name].end(), value);
}

// The calls of a fake implementation, in order.
struct Heard {
    std::vector<std::string> calls;  // "load", "run"
    std::vector<float> loaded;       // the first element of C in each load
    std::vector<Batch> batches;
    std::vector<std::int64_t> first_characters;  // X[0] of each batch, as it was during the run
    std::vector<float> rates;
};

// A step adds `gain` to all parameters and running statistics; its other results count up from `made`.
class FakeImplementation final : public Model {
public:
    FakeImplementation(const NetworkConfig& config, std::vector<TensorSpec> table, Heard& heard, float gain,
                       float made = 1)
        : config_(config), values_(std::move(table)), heard_(heard), gain_(gain), made_(made) {}

    // Leaves this tensor as it was before the run: unwritten.
    void skip(const std::string& name) { skipped_ = name; }

    void load(const Tensors<float>& state) override {
        heard_.calls.emplace_back("load");
        heard_.loaded.push_back(state["C"][0]);
        values_.clear();
        copy_into(values_, state);
    }

    void run(const Batch& batch, float rate) override {
        heard_.calls.emplace_back("run");
        heard_.batches.push_back(batch);
        heard_.first_characters.push_back(batch.X[0]);
        heard_.rates.push_back(rate);
        const Tensors<float> given(state(config_));
        for (const TensorSpec& spec : values_.table()) {
            if (!given.contains(spec.name) && spec.name != skipped_) {
                count_from(values_, spec.name, made_);
            }
        }
        for (const TensorSpec& spec : given.table()) {
            const std::string updated = "new_" + spec.name;
            if (updated != skipped_ && values_.contains(updated)) {
                for (std::size_t i = 0; i < values_[spec.name].size(); ++i) {
                    values_[updated][i] = values_[spec.name][i] + gain_;
                }
            }
        }
    }

    std::vector<View> views() const override { return values_.views(); }

private:
    NetworkConfig config_;
    Tensors<float> values_;
    Heard& heard_;
    float gain_, made_;
    std::string skipped_;
};

}  // namespace byhand::test
