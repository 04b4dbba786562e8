#include <algorithm>
#include <functional>
#include <utility>

#include "base/error.h"
#include "base/short_form.h"
#include "base/utf8.h"
#include "recipe/recipe.h"

namespace byhand {
namespace {

using Layers = std::vector<OperationConfig>;

bool has_norm(const Layers& layers) {
    return std::ranges::any_of(layers, [](const OperationConfig& one) { return is_norm(one.op); });
}

// Changes the list of operations for a flag. Throws InputError if `change` finds no place, or leaves no network.
void change_layers(Recipe& recipe, const std::string& flag, const std::function<std::size_t(Layers&)>& change,
                   const std::string& missing) {
    const std::string where = flag + ": recipe " + printable(recipe.name) + " ";
    std::size_t places = 0;
    try {
        places = change(recipe.network.layers);
        check_layers(recipe.network.layers);
    } catch (const InputError& error) {
        throw InputError(where + "can't be changed so: " + error.what());
    }
    if (places == 0) {
        throw InputError(where + missing);
    }
}

// γ and β of norms of another kind have the initialization rules of the old ones, unless there are rules of their own;
// without either, γ = 1 and β = 0.
void rename_norm_rules(std::vector<InitialRule>& rules, const std::string& norm) {
    const std::string prefix = norm == op::kLayernorm ? "ln" : norm == op::kRmsnorm ? "rms" : "bn";
    for (const auto& [parameter, constant] : {std::pair{"gain", 1.0}, std::pair{"bias", 0.0}}) {
        const std::string name = prefix + parameter;
        const auto is_one = [of = parameter](const InitialRule& rule) { return rule.parameter.ends_with(of); };
        const bool has_none = norm == op::kRmsnorm && parameter == std::string("bias");
        // Those of the new kind first: of two for the same layers, the first stays.
        std::vector<InitialRule> all = rules;
        std::ranges::stable_partition(all, [&](const InitialRule& rule) { return rule.parameter == name; });
        std::erase_if(rules, [&](const InitialRule& rule) {
            const auto first = std::ranges::find_if(
                all, [&](const InitialRule& other) { return is_one(other) && other.layers == rule.layers; });
            return is_one(rule) && (has_none || !(*first == rule));
        });
        for (InitialRule& rule : rules) {
            rule.parameter = is_one(rule) ? name : rule.parameter;
        }
        if (!has_none && std::ranges::none_of(rules, is_one)) {
            rules.push_back({.parameter = name, .normal = {}, .plus = constant});
        }
    }
}

// The kind of the norms that a recipe without any initializes.
std::string kind_of_rules(const std::vector<InitialRule>& rules) {
    const auto has = [&](const char* gain) { return std::ranges::count(rules, gain, &InitialRule::parameter) > 0; };
    return has("lngain") ? op::kLayernorm : has("rmsgain") ? op::kRmsnorm : op::kBatchnorm;
}

// --norm and --norm-kind.
void change_norms(Recipe& recipe, const NetworkFlags& flags) {
    const std::string place = flags.norm.value_or(""), kind = flags.norm_kind.value_or("");
    if (!place.empty() && !kind.empty() && (place == "none") != (kind == "none")) {
        throw InputError("--norm " + place + " and --norm-kind " + kind + " contradict each other: leave one out");
    }
    const auto change = [&](Layers& layers) -> std::size_t {
        std::size_t places = 1;
        if (place == "none" || kind == "none") {
            place_norms(layers, "none");
        } else if (!place.empty() || !has_norm(layers)) {
            const std::string by_rules = kind_of_rules(recipe.initial);
            if (!has_norm(layers)) {
                rename_norm_rules(recipe.initial, by_rules);
            }
            places = place_norms(layers, place.empty() ? "before" : place, by_rules);
        }
        if (!kind.empty() && kind != "none") {
            set_norm(layers, kind + "norm");
            rename_norm_rules(recipe.initial, kind + "norm");
        }
        return places;
    };
    change_layers(recipe, place.empty() ? "--norm-kind" : "--norm", change,
                  "has no activation in a hidden layer, beside which a norm would go: list it in its layers");
}

// The optimizer that --optimizer abbreviates.
OptimizerConfig optimizer_called(const std::string& word) {
    OptimizerConfig optimizer;
    if (word == "adamw") {
        optimizer.kind = OptimizerKind::adamw;
        optimizer.weight_decay = kAdamwDecay;
    } else if (word != "sgd") {
        optimizer.momentum = 0.9;
        optimizer.nesterov = word == "nesterov";
    }
    return optimizer;
}

}  // namespace

Recipe with_flags(Recipe recipe, const NetworkFlags& flags) {
    NetworkConfig& network = recipe.network;
    network.embedding = flags.embedding.value_or(network.embedding);
    network.context = flags.context.value_or(network.context);
    recipe.batch = flags.batch.value_or(recipe.batch);
    recipe.seed = flags.seed.value_or(recipe.seed);
    recipe.split_seed = flags.split_seed.value_or(recipe.split_seed);
    if (flags.hidden) {
        const std::size_t hidden = layers(network).size() - 1;
        change_layers(
            recipe, "--hidden", [&](Layers& list) { return set_widths(list, *flags.hidden) ? 1U : 0U; },
            hidden == 0 ? "has no hidden layer: leave the widths out"
                        : "lists its layers, " + std::to_string(hidden) + " of them hidden: give as many widths");
    }
    if (flags.activation) {
        change_layers(
            recipe, "--activation", [&](Layers& list) { return set_activation(list, *flags.activation); },
            "has no activation that another could replace: list one in its layers");
    }
    if (flags.norm || flags.norm_kind) {
        change_norms(recipe, flags);
    }
    if (flags.residual) {
        change_layers(recipe, "--residual", add_residuals,
                      "has no hidden layer as wide as the one below it, position for position: give two in a row the "
                      "same width, without flatten");
    }
    if (flags.tied) {
        std::find_if(network.layers.rbegin(), network.layers.rend(), [](const OperationConfig& one) {
            return one.op == op::kLinear;
        })->tied = true;
    }
    if (flags.bn_variance) {
        const Divisor divisor = *flags.bn_variance == "biased" ? Divisor::n : Divisor::n_minus_1;
        network.norm.batch_divisor = divisor;
        network.norm.running_divisor = divisor;
    }
    network.norm.epsilon = flags.bn_eps.value_or(network.norm.epsilon);
    if (flags.optimizer) {
        network.optimizer = optimizer_called(*flags.optimizer);
    }
    network.optimizer.weight_decay = flags.weight_decay.value_or(network.optimizer.weight_decay);
    if (flags.rate) {
        recipe.rates = {{.rate = *flags.rate}};
    }
    return recipe;
}

}  // namespace byhand
