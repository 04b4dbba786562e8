#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "base/value.h"
#include "recipe/recipe.h"

namespace byhand {
namespace {

// A tensor to initialize, and its rule.
struct Beginning {
    std::string name;
    std::size_t fan_in;
    std::size_t rule;
};

// Every tensor that a rule applies to, rule by rule, each over its layers in order.
std::vector<Beginning> beginnings(const Recipe& recipe) {
    const std::vector<Operation> all = operations(recipe.network);
    std::vector<Beginning> plan;
    for (std::size_t r = 0; r < recipe.initial.size(); ++r) {
        const InitialRule& rule = recipe.initial[r];
        for (const Operation& one : all) {
            const bool applies =
                rule.layers == LayerSet::all || (rule.layers == LayerSet::output) == one.layer.is_output;
            const OperationState state = state_of(recipe.network, one);
            for (const std::vector<TensorSpec>* specs : {&state.parameters, &state.running_figures}) {
                for (const TensorSpec& spec : *specs) {
                    if (applies && value_of(spec.name).base == rule.parameter) {
                        plan.push_back({spec.name, one.layer.inputs, r});
                    }
                }
            }
        }
    }
    return plan;
}

// Throws InputError if a tensor has two rules, or a parameter none.
void check_covered(const Recipe& recipe, const std::vector<Beginning>& plan) {
    const std::string where = "recipe " + printable(recipe.name) + ": initial.rules";
    std::unordered_map<std::string, std::size_t> rule_of;
    for (const Beginning& beginning : plan) {
        const auto [first, is_new] = rule_of.emplace(beginning.name, beginning.rule);
        if (!is_new) {
            throw InputError(where + "[" + std::to_string(beginning.rule) + "]: " + beginning.name +
                             " already has rule [" + std::to_string(first->second) + "]; keep one of the two");
        }
    }
    for (const TensorSpec& spec : parameters(recipe.network)) {
        if (!rule_of.contains(spec.name)) {
            throw InputError(where + ": no rule initializes " + spec.name + "; add one");
        }
    }
}

// (randn · normal) / √fan_in + plus, each operation rounded to float, as in torch with a Python number.
void begin(std::span<float> out, const InitialRule& rule, std::size_t fan_in, TorchGenerator& g) {
    const auto plus = static_cast<float>(rule.plus);
    if (!rule.normal) {
        std::ranges::fill(out, plus);
        return;
    }
    const auto factor = static_cast<float>(*rule.normal);
    const auto root = static_cast<float>(std::sqrt(static_cast<double>(fan_in)));
    randn(g, out);
    for (float& value : out) {
        value *= factor;
        if (rule.over_sqrt_fan_in) {
            value /= root;
        }
        if (rule.plus != 0) {  // −0 + 0 would be +0
            value += plus;
        }
    }
}

}  // namespace

double rate_at(const Recipe& recipe, std::size_t step) {
    const auto is_later = [step](const RateFrom& from) { return from.step > step; };
    const auto next = std::ranges::find_if(recipe.rates, is_later);
    const RateFrom& now = *(next - 1);
    if (next == recipe.rates.end() || now.then == RateThen::hold) {
        return now.rate;
    }
    const double x = static_cast<double>(step - now.step) / static_cast<double>(next->step - now.step);
    if (now.then == RateThen::linear) {
        return now.rate + (next->rate - now.rate) * x;
    }
    return next->rate + (now.rate - next->rate) * (1 + std::cos(std::numbers::pi * x)) / 2;
}

Tensors<float> initial_state(const Recipe& recipe, TorchGenerator& g) {
    const std::vector<Beginning> plan = beginnings(recipe);
    check_covered(recipe, plan);
    Tensors<float> tensors(state(recipe.network));
    for (const TensorSpec& spec : running_figures(recipe.network)) {
        std::ranges::fill(tensors[spec.name], value_of(spec.name).base == "bnvar_running" ? 1.0F : 0.0F);
    }
    for (const TensorSpec& spec : optimizer_state(recipe.network)) {
        std::ranges::fill(tensors[spec.name], 0.0F);
    }
    for (const Beginning& beginning : plan) {
        begin(tensors[beginning.name], recipe.initial[beginning.rule], beginning.fan_in, g);
    }
    for (const TensorSpec& spec : keys(recipe.network)) {
        std::array<std::int64_t, 1> key{};
        randint(g, kMaskKeys, key);
        tensors[spec.name][0] = static_cast<float>(key[0]);
    }
    return tensors;
}

}  // namespace byhand
