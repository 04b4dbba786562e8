#include "lab/invariance/law.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/json.h"
#include "base/member.h"
#include "lab/first_step.h"
#include "lab/invariance/scaled_layer.h"

namespace byhand::lab {
namespace {

// The layers of one network, with ε = 0 and with the network's own.
struct Law {
    std::string recipe;
    NormConfig norm;
    std::vector<ScaledLayer> exact, with_epsilon;
};

Law law_of(const Recipe& recipe, const Material& material, const std::vector<double>& alphas) {
    const FirstStep first = first_step(recipe, material);
    NetworkConfig network = first.network();
    const auto scaled = [&] { return scale_layers(network, first.state, first.batch.view(), alphas); };
    Law law{recipe.name, network.norm, {}, scaled()};
    network.norm.epsilon = 0;
    law.exact = scaled();
    return law;
}

bool has_norm_behind(const ScaledLayer& scaled) {
    return scaled.layer.norm == NormPlace::before;
}

double largest(const ScaledLayer& layer, Member<Scaled, double> figure) {
    double most = 0;
    for (const Scaled& one : layer.scaled) {
        if (!(one.*figure <= most) && !std::isnan(most)) {
            most = one.*figure;
        }
    }
    return most;
}

// What ε adds to the variance, or to the deviation, as a share of it: of the unit where that is most.
double share_of_epsilon(const ScaledLayer& layer, const NormConfig& norm, double alpha) {
    const double deviation = alpha * layer.least_deviation;
    return norm.epsilon / (norm.epsilon_place == EpsilonPlace::inside ? deviation * deviation : deviation);
}
double shortfall_by_law(double share, const NormConfig& norm) {
    return norm.epsilon_place == EpsilonPlace::inside ? 1 - 1 / std::sqrt(1 + share) : 1 - 1 / (1 + share);
}

std::string epsilon_words(double epsilon) {
    return fmt::format("ε = {}", epsilon);
}

// One layer, α by α.
Table layer_table(const Law& law, const ScaledLayer& layer, double epsilon) {
    const std::string W = layer.layer.W();
    Table table{fmt::format("{}: {} times α, {}", law.recipe, W, epsilon_words(epsilon)),
                {"α", layer.result + " moves", "the loss moves", "α·‖d" + W + "‖, to 1", "α·d" + W + " moves"},
                {}};
    for (const Scaled& one : layer.scaled) {
        table.rows.push_back({significant(one.alpha, 3), significant(one.result_change, 2),
                              significant(one.loss_change, 2), fixed(one.gradient_ratio, 6),
                              significant(one.gradient_change, 2)});
    }
    return table;
}

Table shortfall_table(const Law& law, const ScaledLayer& layer) {
    const bool inside = law.norm.epsilon_place == EpsilonPlace::inside;
    Table table{fmt::format("{}: how much {} takes from x̂, in the unit whose σ is smallest ({:.3g})", law.recipe,
                            epsilon_words(law.norm.epsilon), layer.least_deviation),
                {"α", inside ? "r = ε/(α²σ²)" : "r = ε/(ασ)", "deviation of x̂ falls short by",
                 inside ? "1 − 1/√(1 + r)" : "1 − 1/(1 + r)"},
                {}};
    for (const Scaled& one : layer.scaled) {
        const double share = share_of_epsilon(layer, law.norm, one.alpha);
        table.rows.push_back({significant(one.alpha, 3), significant(share, 3), significant(one.shortfall, 3),
                              significant(shortfall_by_law(share, law.norm), 3)});
    }
    return table;
}

// Each layer with the worst of all α.
Table layers_table(const Law& law, const std::vector<ScaledLayer>& layers, double epsilon) {
    Table table{fmt::format("{}: the most that any α does, {}", law.recipe, epsilon_words(epsilon)),
                {"", "norm behind it", "result moves", "loss moves", "α·dW moves"},
                {}};
    for (const ScaledLayer& layer : layers) {
        table.rows.push_back({layer.layer.W(), has_norm_behind(layer) ? "yes" : "no",
                              significant(largest(layer, &Scaled::result_change), 2),
                              significant(largest(layer, &Scaled::loss_change), 2),
                              significant(largest(layer, &Scaled::gradient_change), 2)});
    }
    return table;
}

Json json_of(const std::vector<ScaledLayer>& layers) {
    Json all = Json::array();
    for (const ScaledLayer& layer : layers) {
        Json scaled = Json::array();
        for (const Scaled& one : layer.scaled) {
            scaled.push_back({{"alpha", one.alpha},
                              {"result_change", number(one.result_change)},
                              {"loss_change", number(one.loss_change)},
                              {"gradient_ratio", number(one.gradient_ratio)},
                              {"gradient_change", number(one.gradient_change)},
                              {"shortfall", number(one.shortfall)}});
        }
        all.push_back({{"weights", layer.layer.W()},
                       {"result", layer.result},
                       {"norm_behind", has_norm_behind(layer)},
                       {"least_deviation", number(layer.least_deviation)},
                       {"scaled", std::move(scaled)}});
    }
    return all;
}

void conclude(Document& document, const Law& law) {
    std::vector<std::string> stay, move, without;
    double result = 0, gradient = 0;
    for (const ScaledLayer& layer : law.exact) {
        const double moves = std::max(largest(layer, &Scaled::result_change), largest(layer, &Scaled::loss_change));
        const bool stays = moves <= kRounding && largest(layer, &Scaled::gradient_change) <= kRounding;
        (stays ? stay : has_norm_behind(layer) ? move : without).push_back(layer.layer.W());
        if (stays) {
            result = std::max(result, moves);
            gradient = std::max(gradient, largest(layer, &Scaled::gradient_change));
        }
    }
    std::string words = law.recipe + ":";
    if (!stay.empty()) {
        words += fmt::format(
            " with ε = 0 the law holds of {}: result and loss move by {:.1g} of themselves at most, "
            "α·dW by {:.1g}, which is rounding.",
            fmt::join(stay, ", "), result, gradient);
    }
    if (!move.empty()) {
        words += fmt::format(" It does not hold of {}, though a norm stands behind.", fmt::join(move, ", "));
    }
    if (!without.empty()) {
        words += fmt::format(" It does not hold of {}, where no norm stands straight behind the linear.",
                             fmt::join(without, ", "));
    }
    for (const ScaledLayer& layer : law.with_epsilon) {
        if (has_norm_behind(layer) && !layer.scaled.empty()) {
            const Scaled& least = *std::ranges::min_element(layer.scaled, {}, &Scaled::alpha);
            const bool inside = law.norm.epsilon_place == EpsilonPlace::inside;
            words += fmt::format(
                " {} breaks it where the weights are small: with {} times {}, ε is {:.2g} times the "
                "smallest {}, {} moves by {:.1f} %, and α·‖d{}‖ is {:.2f} of that at α = 1.",
                epsilon_words(law.norm.epsilon), layer.layer.W(), least.alpha,
                share_of_epsilon(layer, law.norm, least.alpha), inside ? "variance" : "deviation", layer.result,
                100 * least.result_change, layer.layer.W(), least.gradient_ratio);
            break;
        }
    }
    document.blocks.emplace_back(Text{std::move(words)});
}

template <class Value>
Series series(const std::string& name, const ScaledLayer& layer, Value value) {
    Series made{name, {}, {}, {}, {}, Style::both};
    for (const Scaled& one : layer.scaled) {
        made.x.push_back(one.alpha);
        made.y.push_back(value(one));
    }
    return made;
}

void plot(Document& document, const Law& law) {
    const ScaledLayer &exact = law.exact.front(), &with = law.with_epsilon.front();
    const std::string epsilon = epsilon_words(law.norm.epsilon), W = with.layer.W();
    const auto moves = [](const Scaled& one) { return one.result_change; };
    Plot result{fmt::format("{}: how far {} moves when {} is multiplied by α", law.recipe, with.result, W),
                "α",
                "share of its largest magnitude",
                {},
                true,
                true,
                false};
    result.series = {series(epsilon, with, moves), series("ε = 0 (rounding)", exact, moves)};
    if (has_norm_behind(with)) {
        result.series.push_back(series("what " + epsilon + " takes from x̂", with, [&](const Scaled& one) {
            return shortfall_by_law(share_of_epsilon(with, law.norm, one.alpha), law.norm);
        }));
    }
    const auto gradient = [](const Scaled& one) { return one.gradient_ratio / one.alpha; };
    Plot shrinks{fmt::format("{}: the gradient to the weights, ‖dW‖ over that at α = 1", law.recipe),
                 "α",
                 "",
                 {},
                 true,
                 true,
                 false};
    shrinks.series = {series(fmt::format("{}, {}", W, epsilon), with, gradient),
                      series(W + ", ε = 0", exact, gradient)};
    shrinks.series.push_back(series("1/α", with, [](const Scaled& one) { return 1 / one.alpha; }));
    if (!has_norm_behind(law.exact.back())) {
        shrinks.series.push_back(series(law.exact.back().layer.W() + ", no norm behind", law.exact.back(), gradient));
    }
    document.plots = {std::move(result), std::move(shrinks)};
}

}  // namespace

void tell_law(Document& document, const InvarianceOptions& options, const Material& material) {
    document.blocks.emplace_back(
        Text{"The general law, on a whole network: multiply a layer's weights and its bias by α. Where a norm stands "
             "straight behind the linear, what it hands on stays, and so does the loss; the gradient to the weights "
             "is 1/α of what it was: the larger a layer's weights, the smaller its gradient. Below, "
             "one training step in double on the first batch, γ and β drawn, each layer by itself; shares are of the "
             "largest magnitude at α = 1. Layers without a norm are the control, and so is ε = 0: there only rounding "
             "is left. ε breaks the law where it is not small beside the variance: by what it adds to it."});
    Json& networks = document.data["networks"] = Json::array();
    for (const Recipe& recipe : options.recipes) {
        const Law law = law_of(recipe, material, options.alphas);
        const bool first = &recipe == &options.recipes.front();
        if (first) {
            document.blocks.emplace_back(layer_table(law, law.exact.front(), 0));
            document.blocks.emplace_back(layer_table(law, law.with_epsilon.front(), law.norm.epsilon));
            plot(document, law);
        }
        if (first && has_norm_behind(law.with_epsilon.front())) {
            document.blocks.emplace_back(shortfall_table(law, law.with_epsilon.front()));
        }
        document.blocks.emplace_back(layers_table(law, law.exact, 0));
        document.blocks.emplace_back(layers_table(law, law.with_epsilon, law.norm.epsilon));
        conclude(document, law);
        networks.push_back({{"recipe", law.recipe},
                            {"epsilon", law.norm.epsilon},
                            {"without_epsilon", json_of(law.exact)},
                            {"with_epsilon", json_of(law.with_epsilon)}});
    }
}

}  // namespace byhand::lab
