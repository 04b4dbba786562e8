// The handwritten optimizers: two steps worked out by hand, their state, and the forms of the network, which share
// them.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "manual/networks.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

OptimizerConfig nesterov() {
    return {.weight_decay = 0.02, .momentum = 0.9, .nesterov = true};
}
OptimizerConfig adamw() {
    return {.kind = OptimizerKind::adamw, .weight_decay = 0.04, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-3};
}

// The update steps of one parameter of three numbers, b1, with the gradients passed.
class OneParameter {
public:
    explicit OneParameter(const OptimizerConfig& optimizer) {
        NetworkConfig config = networks::small({3});
        test::set(config, &ShortForm::norm_place, "none");
        config.optimizer = optimizer;
        graph_ = stepwise_graph(config, 2);
        values_["b1"] = {0.5, -1.25, 2};
        for (const TensorSpec& spec : optimizer_state(config)) {
            values_[spec.name].assign(count(spec.shape), 0.0);
        }
    }

    void step(std::vector<double> gradient, double rate) {
        values_["db1"] = std::move(gradient);
        values_["rate"] = {rate};
        for (const Step& step : graph_.update) {
            if (step.makes.ends_with("b1") || step.shape.empty()) {
                std::vector<double> made(count(step.shape));
                execute<double>(step, made.data(),
                                [&](const std::string& name) -> Operand<double> { return values_.at(name).data(); });
                values_[step.makes] = std::move(made);
            }
        }
        for (const TensorSpec& spec : state(graph_.config)) {
            if (values_.contains(update_of(spec.name))) {
                values_[spec.name] = values_.at(update_of(spec.name));
            }
        }
    }

    void check(const std::string& name, const std::vector<double>& right) const {
        CAPTURE(name);
        for (std::size_t i = 0; i < right.size(); ++i) {
            CHECK(std::abs(values_.at(name)[i] - right[i]) <= 1e-14 * std::abs(right[i]));
        }
    }

private:
    Graph graph_;
    std::map<std::string, std::vector<double>> values_;
};

const std::vector<double> kFirst = {0.25, -0.5, 1}, kSecond = {-0.75, 0.125, 0.5};

}  // namespace

// v ← μ·v + g, p ← p − rate·v, from v = 0: at the first element v is 0.25 and then 0.225 − 0.75.
TEST_CASE("momentum: two steps worked out by hand") {
    OneParameter b({.momentum = 0.9});
    b.step(kFirst, 0.1);
    b.check("momentum_b1", {0.25, -0.5, 1});
    b.check("b1", {0.475, -1.2, 1.9});
    b.step(kSecond, 0.05);
    b.check("momentum_b1", {-0.525, -0.325, 1.4});
    b.check("b1", {0.50125, -1.18375, 1.83});
}

// d = g + λ·p, v ← μ·v + d, p ← p − rate·(d + μ·v): at the first element d = 0.25 + 0.02·0.5 = 0.26 = v, and p is
// 0.5 − 0.1·(0.26 + 0.234).
TEST_CASE("nesterov: two steps with weight decay worked out by hand") {
    OneParameter b(nesterov());
    b.step(kFirst, 0.1);
    b.check("momentum_b1", {0.26, -0.525, 1.04});
    b.check("b1", {0.4506, -1.15025, 1.8024});
    b.step(kSecond, 0.05);
    b.check("momentum_b1", {-0.506988, -0.370505, 1.472048});
    b.check("b1", {0.51046386, -1.138677025, 1.70935544});
}

// m ← β1·m + (1 − β1)·g, v ← β2·v + (1 − β2)·g², p ← p − rate·(m/(1 − β1^t)/(√(v/(1 − β2^t)) + ε) + λ·p). In the first
// step m̂ = g and √v̂ = |g|: at the first element p is 0.5 − 0.1·(0.25/0.251 + 0.02). In the second: 1 − 0.9² = 0.19,
// 1 − 0.99² = 0.0199.
TEST_CASE("adamw: two steps worked out by hand") {
    OneParameter b(adamw());
    b.step(kFirst, 0.1);
    b.check("step_count", {1});
    b.check("exp_avg_b1", {0.025, -0.05, 0.1});
    b.check("exp_avg_sq_b1", {0.000625, 0.0025, 0.01});
    b.check("b1", {0.398398406374502, -1.145199600798403, 1.8920999000999});
    b.step(kSecond, 0.05);
    b.check("step_count", {2});
    b.check("new_correction1", {0.19});
    b.check("new_correction2", {0.0199});
    b.check("exp_avg_b1", {-0.0525, -0.0325, 0.14});
    b.check("exp_avg_sq_b1", {0.00624375, 0.00263125, 0.0124});
    b.check("b1", {0.422222562090221, -1.119453277896253, 1.841702351040836});
}

TEST_CASE("adamw: β = 0 retains nothing, and its correction is 1") {
    OneParameter b({.kind = OptimizerKind::adamw, .beta1 = 0, .beta2 = 0});
    b.step(kFirst, 0.1);
    b.step(kSecond, 0.1);
    b.check("new_correction1", {1});
    b.check("exp_avg_b1", kSecond);
    b.check("new_vhat_b1", {0.5625, 0.015625, 0.25});
}

TEST_CASE("optimizers: their state is part of the network's state, not a parameter") {
    NetworkConfig config = networks::small({4});
    const std::vector<TensorSpec> plain = state(config);
    const std::size_t learned = parameter_count(config);
    for (const OptimizerConfig& optimizer :
         {OptimizerConfig{.weight_decay = 0.1}, OptimizerConfig{.momentum = 0.9}, nesterov(), adamw()}) {
        config.optimizer = optimizer;
        CHECK(parameter_count(config) == learned);
        const std::vector<TensorSpec> all = state(config);
        CHECK(std::equal(plain.begin(), plain.end(), all.begin()));
        const std::size_t each = optimizer.kind == OptimizerKind::adamw ? 2 : optimizer.momentum > 0 ? 1 : 0;
        const std::size_t once = optimizer.kind == OptimizerKind::adamw ? 1 : 0;
        CHECK(all.size() == plain.size() + each * parameters(config).size() + once);
    }
    CHECK(state(config).back() == TensorSpec{"step_count", {}});
    CHECK(state(config)[plain.size()] == TensorSpec{"exp_avg_C", {7, 2}});
    CHECK(state(config)[plain.size() + 3] == TensorSpec{"exp_avg_sq_W1", {6, 4}});
}
