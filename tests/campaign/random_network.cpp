#include "campaign/random_network.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/error.h"
#include "fast/simd/kernels.h"
#include "manual/operation.h"

namespace byhand {
namespace {

constexpr std::size_t kMostLayers = 9, kMostWidth = 31;

class Drawer {
public:
    explicit Drawer(std::mt19937_64& generator) : generator_(generator), activations_(activations()) {
        // One without a kernel makes the whole fused network run step by step: few networks have any.
        if (!one_in(8)) {
            std::erase_if(activations_, [](const std::string& name) { return !simd::activation_of(name); });
        }
    }

    NetworkConfig network() {
        NetworkConfig config;
        config.vocabulary = 2 + below(40);
        config.embedding = odd_width();
        const std::size_t hidden = 1 + below(kMostLayers);
        const bool by_parts = one_in(3);
        config.context = by_parts ? 1 : 1 + below(5);
        for (std::size_t layer = 0; layer < hidden; ++layer) {
            if (by_parts && config.context < 30 && (layer == 0 || one_in(2))) {
                OperationConfig flatten{op::kFlatten};
                flatten.positions = 1 + below(3);
                config.context *= flatten.positions;
                list_.push_back(flatten);
            }
            // Often as wide as the layer below, so that a residual fits.
            width_ = layer > 0 && one_in(2) ? width_ : odd_width();
            list_.push_back({op::kLinear, width_, one_in(2)});
            add_behind(false);
        }
        OperationConfig last{op::kLinear, 0, one_in(2)};
        last.tied = one_in(4);
        config.embedding = last.tied ? width_ : config.embedding;
        list_.push_back(last);
        add_behind(true);
        config.optimizer = optimizer();
        return with_layers(config, list_);
    }

private:
    std::size_t below(std::size_t count) { return generator_() % count; }
    bool one_in(std::size_t count) { return below(count) == 0; }
    std::size_t odd_width() { return 1 + 2 * below((kMostWidth + 1) / 2); }

    template <std::size_t n>
    double one_of(const std::array<double, n>& values) {
        return values[below(n)];
    }

    // Plain SGD in half of the cases, AdamW in a quarter, and in a quarter SGD with weight decay, momentum or both.
    OptimizerConfig optimizer() {
        OptimizerConfig one;
        if (one_in(2)) {
            return one;
        }
        constexpr std::array kDecays = {1e-4, 0.01, 0.3};
        if (one_in(2)) {
            one.kind = OptimizerKind::adamw;
            one.weight_decay = one_in(4) ? 0 : one_of(kDecays);
            one.beta1 = one_of(std::array{0.0, 0.5, 0.8, 0.9, 0.95, 0.99});
            one.beta2 = one_of(std::array{0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 0.9999});
            one.epsilon = one_of(std::array{1e-10, 1e-8, 1e-5, 1e-3, 0.1});
            return one;
        }
        const std::size_t terms = 1 + below(3);  // 1: weight decay, 2: momentum, 3: both
        one.weight_decay = terms != 2 ? one_of(kDecays) : 0;
        one.momentum = terms != 1 ? one_of(std::array{0.1, 0.5, 0.9, 0.99, 1.0}) : 0;
        one.nesterov = one.momentum > 0 && one_in(2);
        return one;
    }

    // What follows a linear: up to one operation that reads each name, in any order.
    void add_behind(bool is_output) {
        std::vector<OperationConfig> behind;
        for (const char* norm : op::kNorms) {
            if (one_in(is_output ? 6 : 3)) {
                OperationConfig& one = behind.emplace_back(OperationConfig{norm});
                one.affine = one_in(4) ? std::optional(false) : std::nullopt;
                one.epsilon = one_in(4) ? std::optional(0.03) : std::nullopt;
            }
        }
        if (!one_in(is_output ? 1 : 8)) {
            OperationConfig& one = behind.emplace_back(OperationConfig{activations_[below(activations_.size())]});
            one.negative_slope = one.op == op::kLeakyRelu ? 0.3 : one.negative_slope;
        }
        if (one_in(4)) {
            behind.emplace_back(OperationConfig{op::kDropout}).p = 0.1 * static_cast<double>(1 + below(5));
        }
        if (!is_output && one_in(2)) {
            behind.emplace_back(OperationConfig{op::kResidual});
        }
        for (std::size_t i = behind.size(); i > 1; --i) {  // std::shuffle differs between libraries
            std::swap(behind[i - 1], behind[below(i)]);
        }
        for (OperationConfig& one : behind) {
            if (one.op != op::kResidual) {
                list_.push_back(one);
            } else {
                add_residual(one);
            }
        }
    }

    // From any operation that fits, or none.
    void add_residual(OperationConfig residual) {
        std::vector<std::size_t> fitting;
        for (residual.from = 0; residual.from < list_.size(); ++residual.from) {
            std::vector<OperationConfig> tried = list_;
            tried.push_back(residual);
            tried.push_back({op::kLinear});
            try {
                with_layers({}, tried);
                fitting.push_back(residual.from);
            } catch (const InputError&) {  // of another width, or at another position
            }
        }
        if (!fitting.empty()) {
            residual.from = fitting[below(fitting.size())];
            list_.push_back(residual);
        }
    }

    std::mt19937_64& generator_;
    std::vector<std::string> activations_;
    std::vector<OperationConfig> list_;
    std::size_t width_ = 1;
};

}  // namespace

NetworkConfig random_network(std::mt19937_64& generator) {
    return Drawer(generator).network();
}

}  // namespace byhand
