// Small networks of odd sizes, with a state and a batch, for the tests of the handwritten network.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/model.h"
#include "base/network.h"
#include "base/tensors.h"

namespace networks {

struct Example {
    byhand::NetworkConfig config;
    std::size_t rows = 0;
    byhand::Tensors<float> state;
    std::vector<std::int64_t> X, Y;

    byhand::Batch batch() const { return {rows, X.data(), Y.data()}; }
};

// Uniform in [low, high): the same numbers with every standard library, unlike std::uniform_real_distribution.
inline float uniform(std::mt19937& random, float low, float high) {
    return low + (high - low) * static_cast<float>(random() >> 8) * 0x1p-24F;
}

inline std::vector<std::int64_t> characters(std::mt19937& random, std::size_t count, std::size_t vocabulary) {
    std::vector<std::int64_t> all(count);
    for (std::int64_t& c : all) {
        c = static_cast<std::int64_t>(random() % vocabulary);
    }
    return all;
}

// Weights that keep sums of `inputs` terms near 1, gains around 1.2, biases around −0.3, running variances around 1.5:
// no neutral values (0, 1) that would hide an omitted tensor, and no two equal ones.
inline byhand::Tensors<float> state(const byhand::NetworkConfig& config, std::mt19937& random) {
    byhand::Tensors<float> state(byhand::state(config));
    for (const byhand::TensorSpec& spec : state.table()) {
        const auto begins = [&](const char* prefix) { return spec.name.starts_with(prefix); };
        float low = -0.8F, high = 0.2F;
        if (begins("bngain") || begins("lngain") || begins("rmsgain")) {
            low = 0.7F, high = 1.7F;
        } else if (begins("bnvar_running") || begins("exp_avg_sq")) {
            low = 0.5F, high = 2.5F;
        } else if (spec.shape.size() == 2) {
            high = begins("C") ? 1.7F : 1.7F / std::sqrt(static_cast<float>(spec.shape[0]));
            low = -high;
        }
        const bool is_whole = spec.shape.empty();  // a dropout's key, the number of steps
        for (float& x : state[spec.name]) {
            x = is_whole ? std::floor(uniform(random, 1, 1000)) : uniform(random, low, high);
        }
    }
    return state;
}

inline Example make(const byhand::NetworkConfig& config, std::size_t rows, unsigned seed = 7) {
    std::mt19937 random(seed);
    Example example{config, rows, state(config, random), {}, {}};
    example.X = characters(random, rows * config.context, config.vocabulary);
    example.Y = characters(random, rows, config.vocabulary);
    return example;
}

inline byhand::NetworkConfig small(std::vector<std::size_t> hidden, std::size_t vocabulary = 7) {
    byhand::NetworkConfig config;
    config.vocabulary = vocabulary;
    config.context = 3;
    config.embedding = 2;
    byhand::test::set(config, &byhand::ShortForm::hidden, std::move(hidden));
    return config;
}

// A norm with its place in every hidden layer, "none" without norms, and whether the output has one too.
struct PlacedNorm : byhand::NormConfig {
    std::string place = "none";
    bool output = false;
};

inline void put(byhand::NetworkConfig& config, const PlacedNorm& norm) {
    config.norm = norm;
    byhand::test::set(config, &byhand::ShortForm::norm_place, norm.place);
    byhand::test::set(config, &byhand::ShortForm::output_norm, norm.output);
}

// Without a norm; and every place, divisor of the batch, ε (inside and outside the root, large enough to matter; none),
// with γ and β and without, with a norm on the output and without. Running statistics alternate: their divisor is the
// batch's or the other one, they are variances or standard deviations.
inline std::vector<PlacedNorm> norms() {
    using namespace byhand;
    std::vector<PlacedNorm> all(1);
    for (const std::string place : {"before", "after"}) {
        for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
            for (const double epsilon : {0.0, 0.02, -0.02}) {
                for (unsigned bits = 0; bits < 4; ++bits) {
                    PlacedNorm norm;
                    norm.place = place;
                    norm.batch_divisor = divisor;
                    norm.epsilon = std::fabs(epsilon);
                    norm.epsilon_place = epsilon < 0 ? EpsilonPlace::outside : EpsilonPlace::inside;
                    norm.affine = (bits & 1) != 0;
                    norm.output = (bits & 2) != 0;
                    norm.running_divisor = all.size() % 3 == 0 ? Divisor::n : Divisor::n_minus_1;
                    norm.running_spread = all.size() % 5 < 2 ? RunningSpread::deviation : RunningSpread::variance;
                    norm.momentum = 0.3;
                    all.push_back(norm);
                }
            }
        }
    }
    return all;
}

inline byhand::OperationConfig with_positions(std::size_t positions) {
    byhand::OperationConfig flatten = {byhand::op::kFlatten};
    flatten.positions = positions;
    return flatten;
}

// Every operation whose steps sum over rows or depend on their number, in each form.
inline std::vector<byhand::NetworkConfig> with_every_operation() {
    std::vector<byhand::NetworkConfig> all;
    for (const PlacedNorm& norm : norms()) {
        byhand::NetworkConfig config = small({17, 5});
        put(config, norm);
        all.push_back(config);
    }
    byhand::OperationConfig dropout = {byhand::op::kDropout}, residual = {byhand::op::kResidual},
                            tied = {byhand::op::kLinear};
    dropout.p = 0.3;
    tied.tied = true;
    byhand::NetworkConfig joined = small({1}, 29);
    joined.context = 6;
    joined.embedding = 19;
    joined.optimizer = {.kind = byhand::OptimizerKind::adamw, .weight_decay = 0.1};
    all.push_back(byhand::with_layers(joined, {with_positions(3),
                                               {byhand::op::kLinear, 33, false},
                                               {byhand::op::kBatchnorm},
                                               dropout,
                                               {"gelu"},
                                               with_positions(2),
                                               {byhand::op::kLinear, 19},
                                               {byhand::op::kLayernorm},
                                               {byhand::op::kTanh},
                                               tied}));
    residual.from = 1;
    joined.optimizer = {.momentum = 0.6, .nesterov = true};
    all.push_back(byhand::with_layers(joined, {{byhand::op::kLinear, 17},
                                               {"silu"},
                                               {byhand::op::kLinear, 17},
                                               {byhand::op::kRmsnorm},
                                               dropout,
                                               residual,
                                               {byhand::op::kLinear}}));
    residual.from = 2;
    joined.optimizer = {.weight_decay = 0.2};
    all.push_back(byhand::with_layers(joined, {{byhand::op::kLinear, 101},
                                               {byhand::op::kRmsnorm},
                                               {byhand::op::kBatchnorm},
                                               {byhand::op::kTanh},
                                               {byhand::op::kLinear, 101},
                                               {byhand::op::kLayernorm},
                                               {byhand::op::kBatchnorm},
                                               residual,
                                               {"relu"},
                                               {byhand::op::kLinear},
                                               {byhand::op::kBatchnorm}}));
    joined.context = 1;
    all.push_back(byhand::with_layers(joined, {tied}));
    return all;
}

inline std::string describe(const byhand::NetworkConfig& config, std::size_t rows) {
    using namespace byhand;
    const NormConfig& norm = config.norm;
    std::string text = test::text(config.layers) + (norm.affine ? ", affine" : "");
    text += norm.batch_divisor == Divisor::n ? ", n" : ", n - 1";
    text += norm.running_divisor == Divisor::n ? ", running n" : ", running n - 1";
    text += norm.running_spread == RunningSpread::variance ? ", variance" : ", deviation";
    text += ", epsilon " + std::to_string(norm.epsilon);
    text += norm.epsilon_place == EpsilonPlace::inside ? " inside" : " outside";
    return text + ", rows " + std::to_string(rows);
}

}  // namespace networks
