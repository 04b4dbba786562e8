#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/utf8.h"
#include "recipe/recipe.h"

namespace byhand {
namespace {

// The new norm's γ and β have the initialization rules of the old one's; without those, γ = 1 and β = 0.
void change_norm_kind(Recipe& recipe, const std::string& word) {
    NormConfig& norm = recipe.network.norm;
    if (word == "none") {
        norm.place = NormPlace::none;
        return;
    }
    norm.place = norm.place == NormPlace::none ? NormPlace::before : norm.place;
    norm.kind = word == "layer" ? NormKind::layer : word == "rms" ? NormKind::rms : NormKind::batch;
    const std::string prefix = word == "layer" ? "ln" : word == "rms" ? "rms" : "bn";
    for (const auto& [parameter, constant] : {std::pair{"gain", 1.0}, std::pair{"bias", 0.0}}) {
        const auto begins_it = [of = parameter](const InitialRule& rule) { return rule.parameter.ends_with(of); };
        if (norm.kind == NormKind::rms && parameter == std::string("bias")) {
            std::erase_if(recipe.initial, begins_it);
        } else if (std::ranges::none_of(recipe.initial, begins_it)) {
            InitialRule& rule = recipe.initial.emplace_back();
            rule.parameter = prefix + parameter;
            rule.plus = constant;
        }
        for (InitialRule& rule : recipe.initial) {
            rule.parameter = begins_it(rule) ? prefix + parameter : rule.parameter;
        }
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
    if (flags.hidden) {
        const std::size_t linears = network.hidden.size();
        network.hidden = *flags.hidden;
        if (!network.layers.empty() && network.hidden.size() != linears) {
            throw InputError("--hidden: recipe " + printable(recipe.name) + " lists its layers, " +
                             std::to_string(linears) + " of them hidden: give as many widths");
        }
    }
    for (const auto& [flag, is_given] :
         {std::pair{"--norm", flags.norm.has_value()}, std::pair{"--norm-kind", flags.norm_kind.has_value()},
          std::pair{"--activation", flags.activation.has_value()}, std::pair{"--residual", flags.residual},
          std::pair{"--tied", flags.tied}}) {
        if (is_given && !network.layers.empty()) {
            throw InputError(std::string(flag) + ": recipe " + printable(recipe.name) +
                             " lists every operation of its layers: change the list");
        }
    }
    network.activation = flags.activation.value_or(network.activation);
    network.residual = network.residual || flags.residual;
    network.tied = network.tied || flags.tied;
    if (flags.norm) {
        network.norm.place = *flags.norm == "before"  ? NormPlace::before
                             : *flags.norm == "after" ? NormPlace::after
                                                      : NormPlace::none;
    }
    if (flags.norm && flags.norm_kind && (*flags.norm == "none") != (*flags.norm_kind == "none")) {
        throw InputError("--norm " + *flags.norm + " and --norm-kind " + *flags.norm_kind +
                         " contradict each other: leave one out");
    }
    if (flags.norm_kind) {
        change_norm_kind(recipe, *flags.norm_kind);
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
