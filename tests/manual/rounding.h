// The effect of rounding alone on every value of a network: the limit for comparing two of its forms, or two number
// types.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "manual/stepper.h"

namespace rounding {

// Half the distance of adjacent numbers just above 1.
template <class T>
inline constexpr double kUnit = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;

struct Known {
    byhand::Shape shape;
    std::vector<double> value;   // computed in double
    std::vector<double> spread;  // root mean square of the effect of rounding
};
using Values = std::map<std::string, Known>;

// The magnitudes of the terms whose sum is the gradient of a norm's input, s·( dx̂ − Σdx̂/n − k·x̂·Σ(dx̂·x̂)/D ), by
// name, with s·x for the mean that x̂ subtracts. They cancel, the more the fewer rows there are, and small steps and
// one line round them at different places.
inline std::map<std::string, std::vector<double>> terms_of_norms(const Values& known,
                                                                 const byhand::NetworkConfig& config, std::size_t n) {
    using namespace byhand;
    std::map<std::string, std::vector<double>> all;
    for (const Layer& layer : layers(config)) {
        if (!layer.has_batchnorm || !known.contains("d" + layer.value("hprebn"))) {
            continue;
        }
        const std::size_t H = layer.outputs;
        const std::string h = layer.value(layer.has_batchnorm_first ? "hpreact" : "h");
        const std::string raw_name = config.norm.affine ? layer.value("bnraw") : layer.is_output ? "logits" : h;
        const std::vector<double>& raw = known.at(raw_name).value;
        const std::vector<double>& x = known.at(layer.value("hprebn")).value;
        const std::vector<double>& draw = known.at("d" + raw_name).value;
        std::vector<double>& terms = all["d" + layer.value("hprebn")];
        terms.resize(n * H);
        for (std::size_t j = 0; j < H; ++j) {
            const double s = known.at(layer.value("bnvar_inv")).value[j];
            const double D = static_cast<double>(config.norm.batch_divisor == Divisor::n ? n : n - 1);
            const double root = std::sqrt(known.at(layer.value("bnvar")).value[j]);
            const double k_over_D = (config.norm.epsilon_place == EpsilonPlace::inside ? 1 : 1 / (s * root)) / D;
            double sum = 0, sum_product = 0;
            for (std::size_t i = j; i < n * H; i += H) {
                sum += std::fabs(draw[i]);
                sum_product += std::fabs(draw[i] * raw[i]);
            }
            for (std::size_t i = j; i < n * H; i += H) {
                terms[i] = s * (std::fabs(draw[i]) + sum / static_cast<double>(n) +
                                k_over_D * (std::fabs(raw[i]) + s * std::fabs(x[i])) * sum_product);
            }
        }
    }
    return all;
}

// The values of `network` for the example, and their changes under random rounding to `unit`: every number is changed
// by up to `unit` of itself, up or down, wherever a step reads it and again where a step computes it; the result of a
// norm's backward, by up to `unit` of its terms.
// (The changes are kMove, which double can represent, and their effects are scaled: for such small changes they are
// linear.)
inline Values values(const byhand::Graph& network, const networks::Example& example, float rate, double unit) {
    using namespace byhand;
    constexpr int kRuns = 16;
    constexpr double kMove = 0x1p-30;
    Runner<double> runner(network);
    copy_into(runner.tensors(), example.state);
    runner.set_rate(rate);
    std::vector<stepper::Steps<double>> lists;
    for (const StepList* list : {&network.forward, &network.backward, &network.update, &network.evaluation}) {
        lists.emplace_back(runner, example, *list);
    }

    for (const auto& list : lists) {
        list.run();
    }
    Values known;
    for (const TensorSpec& spec : runner.tensors().table()) {
        const auto made = runner.tensors()[spec.name];
        known[spec.name] = {spec.shape, {made.begin(), made.end()}, std::vector<double>(made.size())};
    }

    const auto terms = terms_of_norms(known, network.config, example.rows);
    std::mt19937 random(1);
    const auto disturb = [&](std::span<double> numbers, const std::string* made) {
        const auto sums = made == nullptr ? terms.end() : terms.find(*made);
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            const double size = sums == terms.end() ? numbers[i] : sums->second[i];
            numbers[i] += size * kMove * (static_cast<double>(random()) * 0x1p-31 - 1);
        }
    };
    for (int run = 0; run < kRuns; ++run) {
        for (const auto& list : lists) {
            list.run_disturbed(disturb);
        }
        for (auto& [name, k] : known) {
            const auto disturbed = runner.tensors()[name];
            for (std::size_t i = 0; i < k.value.size(); ++i) {
                k.spread[i] += std::pow(disturbed[i] - k.value[i], 2) / kRuns;
            }
        }
    }
    for (auto& [name, k] : known) {
        for (double& s : k.spread) {
            s = std::sqrt(s) * unit / kMove;
        }
    }
    return known;
}

// The longest sum in a network: over inputs, outputs, rows, or all positions of a character.
inline std::size_t longest_sum(const byhand::NetworkConfig& config, std::size_t rows) {
    std::size_t longest = rows * config.context;
    for (const byhand::Layer& layer : byhand::layers(config)) {
        longest = std::max({longest, layer.inputs, layer.outputs});
    }
    return longest;
}

// The largest difference of `view` from `known`, as a share of the allowed one: (8 + m)·spread, where m counts the
// terms of sums, whose additions round too, and one unit for storing the number. A NaN difference is infinite.
inline double share(const byhand::View& view, const Known& known, std::size_t m, double unit) {
    if (view.shape != known.shape) {
        return HUGE_VAL;
    }
    double worst = 0;
    for (std::size_t i = 0; i < known.value.size(); ++i) {
        const double difference = std::fabs(byhand::value_at(view, i) - known.value[i]);
        const double allowed = static_cast<double>(8 + m) * known.spread[i] + unit * std::fabs(known.value[i]);
        if (difference > 0 || std::isnan(difference)) {
            worst = difference <= allowed ? std::max(worst, difference / allowed) : HUGE_VAL;
        }
    }
    return worst;
}

// Checks that every view is known, and agrees.
inline double check(const std::vector<byhand::View>& views, const Values& known, std::size_t m, double unit) {
    double worst = 0;
    for (const byhand::View& view : views) {
        INFO(view.name);
        REQUIRE(known.contains(view.name));
        const double s = share(view, known.at(view.name), m, unit);
        CHECK(s <= 1);
        worst = std::max(worst, s);
    }
    return worst;
}

}  // namespace rounding
