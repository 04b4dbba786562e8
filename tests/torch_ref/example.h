// Small networks of odd sizes with a state and a batch, for the tests of the LibTorch implementation.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/change_network.h"
#include "base/model.h"
#include "base/network.h"
#include "base/tensors.h"
#include "manual/networks.h"

namespace example {

using networks::Example;

inline std::vector<std::int64_t> characters(std::size_t count, std::size_t vocabulary, unsigned seed) {
    std::mt19937 random(seed);
    return networks::characters(random, count, vocabulary);
}

// Gains around 1, running variances around 2, everything else around 0: no element is 0 or 1, and no two are equal.
inline byhand::Tensors<float> random_state(const byhand::NetworkConfig& config, unsigned seed) {
    std::mt19937 random(seed);
    byhand::Tensors<float> state(byhand::state(config));
    for (const byhand::TensorSpec& spec : state.table()) {
        const auto begins = [&](const char* prefix) { return spec.name.rfind(prefix, 0) == 0; };
        const float middle = spec.name.find("gain") != std::string::npos ? 1.0F : begins("bnvar_running") ? 2.0F : 0.0F;
        std::normal_distribution<float> normal(middle, 0.3F);
        for (float& x : state[spec.name]) {
            x = normal(random);
        }
    }
    return state;
}

inline byhand::NetworkConfig small_network(std::vector<std::size_t> hidden) {
    byhand::NetworkConfig config = networks::small(std::move(hidden), 5);
    config.norm.momentum = 0.3;
    config.norm.epsilon = 1e-3;  // large enough to show its place
    return config;
}

inline Example make(const byhand::NetworkConfig& config, std::size_t rows, unsigned seed = 7) {
    return {config, rows, random_state(config, seed), characters(rows * config.context, config.vocabulary, seed + 1),
            characters(rows, config.vocabulary, seed + 2)};
}

// The values of a step from the example's state.
inline std::vector<byhand::View> views_after(byhand::Model& model, const Example& example, float rate = 0.25F) {
    model.load(example.state);
    model.run(example.batch(), rate);
    return model.views();
}

// Every combination of the norm's conventions for these hidden widths, and a network without a norm.
inline std::vector<byhand::NetworkConfig> all_conventions(const std::vector<std::size_t>& hidden) {
    using namespace byhand;
    std::vector<NetworkConfig> all;
    NetworkConfig config = small_network(hidden);
    test::set(config, &ShortForm::norm_place, "none");
    all.push_back(config);
    for (const std::string place : {"before", "after"}) {
        for (unsigned bits = 0; bits < 64; ++bits) {
            test::set(config, &ShortForm::norm_place, place);
            test::set(config, &ShortForm::output_norm, (bits & 1) != 0);
            config.norm.affine = (bits & 2) != 0;
            config.norm.batch_divisor = (bits & 4) != 0 ? Divisor::n : Divisor::n_minus_1;
            config.norm.running_divisor = (bits & 8) != 0 ? Divisor::n : Divisor::n_minus_1;
            config.norm.running_spread = (bits & 16) != 0 ? RunningSpread::deviation : RunningSpread::variance;
            config.norm.epsilon_place = (bits & 32) != 0 ? EpsilonPlace::outside : EpsilonPlace::inside;
            test::set(config, &ShortForm::hidden_bias, bits % 5 != 0);
            test::set(config, &ShortForm::output_bias, bits % 7 != 0);
            all.push_back(config);
        }
    }
    return all;
}

}  // namespace example
