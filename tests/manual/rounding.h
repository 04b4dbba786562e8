// How far rounding alone may carry every value of a network: the limit where two forms of it, or two number types, are
// held against each other.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "manual/stepper.h"

namespace rounding {

// Half the distance of neighbouring numbers just above 1.
template <class T>
inline constexpr double kUnit = sizeof(T) == 4 ? 0x1p-24 : 0x1p-53;

struct Known {
    byhand::Shape shape;
    std::vector<double> value;   // computed in double
    std::vector<double> spread;  // root mean square of what rounding did to it
};
using Values = std::map<std::string, Known>;

// Everything `network` makes of the example, and what becomes of it where rounding to `unit` strikes by chance: every
// number is moved by up to `unit` of itself, up or down, wherever a step reads it and again where a step makes it.
// (They are moved by kMove, which double can show, and what comes of it is scaled: for moves so small it is linear.)
inline Values values(const byhand::StepNetwork<double>& network, const networks::Example& example, float rate,
                     double unit) {
    using namespace byhand;
    constexpr int kRuns = 16;
    constexpr double kMove = 0x1p-30;
    Runner<double> runner(network);
    copy_into(runner.tensors(), example.state);
    runner.set_rate(rate);
    std::vector<stepper::Steps<double>> lists;
    for (const StepList<double>* list : {&network.forward, &network.backward, &network.update}) {
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

    std::mt19937 random(1);
    const auto disturb = [&](std::span<double> made) {
        for (double& x : made) {
            x *= 1 + kMove * (static_cast<double>(random()) * 0x1p-31 - 1);
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

// The longest sum that a network takes: over inputs, outputs, rows, or all places of a character.
inline std::size_t longest_sum(const byhand::NetworkConfig& config, std::size_t rows) {
    std::size_t longest = rows * config.context;
    for (const byhand::Layer& layer : byhand::layers(config)) {
        longest = std::max({longest, layer.inputs, layer.outputs});
    }
    return longest;
}

// The largest difference of `view` from `known`, as a share of what is allowed: (8 + m)·spread, the m for sums of m
// terms, in which every addition rounds too, and one unit for storing the number. A difference that is no number is
// infinite.
inline double share(const byhand::View& view, const Known& known, std::size_t m, double unit) {
    if (view.shape != known.shape) {
        return HUGE_VAL;
    }
    double worst = 0;
    for (std::size_t i = 0; i < known.value.size(); ++i) {
        const double difference = std::fabs(byhand::value_at(view, i) - known.value[i]);
        const double allowed = static_cast<double>(8 + m) * known.spread[i] + unit * std::fabs(known.value[i]);
        if (difference > 0 || std::isnan(difference)) {
            worst = difference <= 1e9 * allowed ? std::max(worst, difference / allowed) : HUGE_VAL;
        }
    }
    return worst;
}

// Every view must be known, and agree.
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
