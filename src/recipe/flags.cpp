#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/short_form.h"
#include "base/utf8.h"
#include "recipe/recipe.h"

namespace byhand {
namespace {

// γ and β of norms of another kind have the initialization rules of the old ones; without those, γ = 1 and β = 0.
void rename_norm_rules(std::vector<InitialRule>& rules, const std::string& norm) {
    const std::string prefix = norm == op::kLayernorm ? "ln" : norm == op::kRmsnorm ? "rms" : "bn";
    for (const auto& [parameter, constant] : {std::pair{"gain", 1.0}, std::pair{"bias", 0.0}}) {
        const auto begins_it = [of = parameter](const InitialRule& rule) { return rule.parameter.ends_with(of); };
        if (norm == op::kRmsnorm && parameter == std::string("bias")) {
            std::erase_if(rules, begins_it);
        } else if (std::ranges::none_of(rules, begins_it)) {
            InitialRule& rule = rules.emplace_back();
            rule.parameter = prefix + parameter;
            rule.plus = constant;
        }
        for (InitialRule& rule : rules) {
            rule.parameter = begins_it(rule) ? prefix + parameter : rule.parameter;
        }
    }
}

// --norm and --norm-kind.
void change_norms(Recipe& recipe, const NetworkFlags& flags) {
    std::vector<OperationConfig>& layers = recipe.network.layers;
    const bool is_none = flags.norm == "none" || flags.norm_kind == "none";
    if (flags.norm && flags.norm_kind && (*flags.norm == "none") != (*flags.norm_kind == "none")) {
        throw InputError("--norm " + *flags.norm + " and --norm-kind " + *flags.norm_kind +
                         " contradict each other: leave one out");
    }
    if (is_none) {
        place_norms(layers, "none");
        return;
    }
    const bool has_norm = std::ranges::any_of(layers, [](const OperationConfig& one) { return is_norm(one.op); });
    const std::string place = flags.norm.value_or(has_norm ? "" : "before");
    if (!place.empty() && place_norms(layers, place) == 0) {
        throw InputError((flags.norm ? "--norm: recipe " : "--norm-kind: recipe ") + printable(recipe.name) +
                         " has no activation in a hidden layer, beside which a norm would go: list it in its layers");
    }
    if (flags.norm_kind) {
        const std::string norm = *flags.norm_kind + "norm";
        set_norm(layers, norm);
        rename_norm_rules(recipe.initial, norm);
    }
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
    const auto refuse = [&](const char* flag, const std::string& why) {
        throw InputError(std::string(flag) + ": recipe " + printable(recipe.name) + why);
    };
    if (flags.hidden && !set_widths(network.layers, *flags.hidden)) {
        const std::size_t hidden = layers(network).size() - 1;
        refuse("--hidden", " lists its layers, " + std::to_string(hidden) + " of them hidden: give as many widths");
    }
    if (flags.activation && set_activation(network.layers, *flags.activation) == 0) {
        refuse("--activation", " has no activation that another could replace: list one in its layers");
    }
    if (flags.norm || flags.norm_kind) {
        change_norms(recipe, flags);
    }
    if (flags.residual && add_residuals(network.layers) == 0) {
        refuse("--residual",
               " has no hidden layer as wide as the one below it, position for position: give two in a "
               "row the same width (--hidden 64,64), without flatten");
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
