// A network with one layer's weights multiplied by α.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "base/member.h"
#include "base/value.h"
#include "judge/finding.h"
#include "lab/figures.h"
#include "lab/first_step.h"
#include "lab/invariance/invariance.h"
#include "lab/layer_names.h"
#include "manual/stepwise.h"
#include "report/rows.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

std::string epsilon_words(double epsilon) {
    return fmt::format("ε = {}", epsilon);
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::vector<double> copy_of(const Tensors<double>& tensors, const std::string& name) {
    const std::span<const double> values = tensors[name];
    return {values.begin(), values.end()};
}

double largest(const std::vector<double>& values) {
    return largest_difference(values, std::vector<double>(values.size(), 0));
}

// Of one layer, after a forward and a backward pass.
struct Pass {
    std::vector<double> result, gradient, variance, inverse_deviation;
    double loss = 0;
};

// The gradient is α·dW.
Pass run(Runner<double>& runner, const Tensors<float>& state, const Layer& layer, double alpha) {
    Tensors<double>& tensors = runner.tensors();
    copy_into(tensors, state);
    for (const std::string& name : {layer.W(), layer.b()}) {
        if (tensors.contains(name)) {
            std::ranges::for_each(tensors[name], [alpha](double& value) { value *= alpha; });
        }
    }
    runner.forward();
    runner.backward();
    Pass pass{copy_of(tensors, handed_on(layer)), copy_of(tensors, gradient_of(layer.W())), {}, {}, tensors["loss"][0]};
    std::ranges::for_each(pass.gradient, [alpha](double& value) { value *= alpha; });
    if (layer.norm == NormPlace::before) {
        pass.variance = copy_of(tensors, layer.value("bnvar"));
        pass.inverse_deviation = copy_of(tensors, layer.value("bnvar_inv"));
    }
    return pass;
}

ScaledLayer scale_layer(Runner<double>& runner, const Tensors<float>& state, const Layer& layer,
                        const std::vector<double>& alphas) {
    const Pass before = run(runner, state, layer, 1);
    const auto unit = static_cast<std::size_t>(std::ranges::min_element(before.variance) - before.variance.begin());
    const bool has_norm = !before.variance.empty();
    ScaledLayer made{layer, handed_on(layer), has_norm ? std::sqrt(before.variance[unit]) : kNaN, {}};
    for (const double alpha : alphas) {
        const Pass after = run(runner, state, layer, alpha);
        made.scaled.push_back(
            {.alpha = alpha,
             .result_change = largest_difference(after.result, before.result) / largest(before.result),
             .loss_change = std::abs(after.loss - before.loss) / before.loss,
             .gradient_ratio = norm(after.gradient) / norm(before.gradient),
             .gradient_change = largest_difference(after.gradient, before.gradient) / largest(before.gradient),
             .shortfall = has_norm ? 1 - std::sqrt(after.variance[unit]) * after.inverse_deviation[unit] : kNaN});
    }
    return made;
}

bool has_norm_behind(const ScaledLayer& scaled) {
    return scaled.layer.norm == NormPlace::before;
}

double largest(const ScaledLayer& layer, Member<Scaled, double> figure) {
    double most = 0;
    for (const Scaled& one : layer.scaled) {
        most = one.*figure <= most || std::isnan(most) ? most : one.*figure;
    }
    return most;
}

// What ε adds to the variance, or to the deviation, as a share of it, in the unit where that is most.
double share_of_epsilon(const ScaledLayer& layer, const NormConfig& norm, double alpha) {
    const double deviation = alpha * layer.least_deviation;
    return norm.epsilon / (norm.epsilon_place == EpsilonPlace::inside ? deviation * deviation : deviation);
}

// α by α. Hidden are what only programs and the plots read.
Table layer_table(const ScaledLayer& layer, const NormConfig& norm, const std::string& recipe) {
    const std::string W = layer.layer.W();
    Table table{fmt::format("{}: {} times α, {}", recipe, W, epsilon_words(norm.epsilon)),
                {{"α", "alpha"},
                 {layer.result + " moves", "result_change"},
                 {"the loss moves", "loss_change"},
                 {"α·‖d" + W + "‖, to 1", "gradient_ratio"},
                 {"α·d" + W + " moves", "gradient_change"},
                 {"x̂ falls short by", "shortfall", Align::hidden},
                 {"‖d" + W + "‖", "gradient", Align::hidden},
                 {"1/α", "inverse", Align::hidden}},
                {}};
    for (const Scaled& one : layer.scaled) {
        table.rows.push_back({significant(one.alpha, 3), significant(one.result_change, 2),
                              significant(one.loss_change, 2), fixed(one.gradient_ratio, 6),
                              significant(one.gradient_change, 2), significant(one.shortfall, 3),
                              significant(one.gradient_ratio / one.alpha, 3), significant(1 / one.alpha, 3)});
    }
    return table;
}

Table shortfall_table(const ScaledLayer& layer, const NormConfig& norm, const std::string& recipe) {
    const bool inside = norm.epsilon_place == EpsilonPlace::inside;
    Table table{fmt::format("{}: how much {} takes from x̂, in the unit whose σ is smallest ({:.3g})", recipe,
                            epsilon_words(norm.epsilon), layer.least_deviation),
                {{"α", "alpha"},
                 {inside ? "r = ε/(α²σ²)" : "r = ε/(ασ)", "share"},
                 {"deviation of x̂ falls short by", "shortfall"},
                 {inside ? "1 − 1/√(1 + r)" : "1 − 1/(1 + r)", "by_law"}},
                {}};
    for (const Scaled& one : layer.scaled) {
        const double r = share_of_epsilon(layer, norm, one.alpha);
        table.rows.push_back({significant(one.alpha, 3), significant(r, 3), significant(one.shortfall, 3),
                              significant(1 - 1 / (inside ? std::sqrt(1 + r) : 1 + r), 3)});
    }
    return table;
}

// Adds the network's layers to its JSON as well: the claim is a layer's by the worst of all α.
Table layers_table(const std::vector<ScaledLayer>& layers, const NormConfig& norm, const std::string& recipe,
                   Json& field) {
    Table table{fmt::format("{}: the most that any α does, {}", recipe, epsilon_words(norm.epsilon)),
                {"", "norm", "result moves", "loss moves", "α·dW moves", "ε's share", "α·‖dW‖", "holds"},
                {}};
    for (const ScaledLayer& layer : layers) {
        const double result = largest(layer, &Scaled::result_change), loss = largest(layer, &Scaled::loss_change);
        const double gradient = largest(layer, &Scaled::gradient_change);
        const bool holds = result <= kRounding && loss <= kRounding && gradient <= kRounding;
        std::vector<Cell>& row = table.rows.emplace_back(std::vector<Cell>{layer.layer.W(),
                                                                           has_norm_behind(layer) ? "yes" : "no",
                                                                           significant(result, 2),
                                                                           significant(loss, 2),
                                                                           significant(gradient, 2),
                                                                           "–",
                                                                           "–",
                                                                           {holds ? "yes" : "no", holds}});
        if (has_norm_behind(layer) && !layer.scaled.empty()) {
            const Scaled& least = *std::ranges::min_element(layer.scaled, {}, &Scaled::alpha);
            row[5] = significant(share_of_epsilon(layer, norm, least.alpha), 2);
            row[6] = significant(least.gradient_ratio, 2);
        }
        field.push_back({{"weights", layer.layer.W()},
                         {"result", layer.result},
                         {"norm_behind", has_norm_behind(layer)},
                         {"least_deviation", number(layer.least_deviation)},
                         {"holds", holds},
                         {"scaled", json_of_rows(layer_table(layer, norm, recipe))}});
    }
    return table;
}

// The first layer, with its plots.
void add_first_layer(Document& document, const ScaledLayer& exact, const ScaledLayer& with, const ScaledLayer& last,
                     const NormConfig& norm, const std::string& recipe) {
    NormConfig norm_without_epsilon = norm;
    norm_without_epsilon.epsilon = 0;
    const Table without_epsilon = layer_table(exact, norm_without_epsilon, recipe);
    const Table with_epsilon = layer_table(with, norm, recipe);
    const std::string epsilon = epsilon_words(norm.epsilon), W = with.layer.W();
    Plot moves{fmt::format("{}: how far {} moves when {} is multiplied by α", recipe, with.result, W),
               "α",
               "share of its largest magnitude",
               {series_of(with_epsilon, "alpha", "result_change", epsilon, Style::both),
                series_of(without_epsilon, "alpha", "result_change", "ε = 0 (rounding)", Style::both)},
               true,
               true};
    Plot shrinks{fmt::format("{}: the gradient to the weights, ‖dW‖ over that at α = 1", recipe),
                 "α",
                 "",
                 {series_of(with_epsilon, "alpha", "gradient", W + ", " + epsilon, Style::both),
                  series_of(without_epsilon, "alpha", "gradient", W + ", ε = 0", Style::both),
                  series_of(with_epsilon, "alpha", "inverse", "1/α", Style::both)},
                 true,
                 true};
    document.blocks.emplace_back(without_epsilon);
    document.blocks.emplace_back(with_epsilon);
    if (has_norm_behind(with)) {
        const Table shortfall = shortfall_table(with, norm, recipe);
        moves.series.push_back(
            series_of(shortfall, "alpha", "by_law", "what " + epsilon + " takes from x̂", Style::both));
        document.blocks.emplace_back(shortfall);
    }
    if (!has_norm_behind(last)) {
        shrinks.series.push_back(series_of(layer_table(last, norm, recipe), "alpha", "gradient",
                                           last.layer.W() + ", no norm behind", Style::both));
    }
    document.plots = {std::move(moves), std::move(shrinks)};
}

}  // namespace

std::vector<ScaledLayer> scale_layers(const NetworkConfig& config, const Tensors<float>& state, const Batch& batch,
                                      const std::vector<double>& alphas) {
    Runner<double> runner(stepwise_graph(config, batch.rows));
    runner.set_batch(batch);
    std::vector<ScaledLayer> all;
    for (const Layer& layer : layers(config)) {
        all.push_back(scale_layer(runner, state, layer, alphas));
    }
    return all;
}

void add_layers(Document& document, const InvarianceOptions& options, const Material& material) {
    document.blocks.emplace_back(Text{
        "The general law, on a whole network: multiply a layer's weights and its bias by α. Where a norm stands "
        "straight behind the linear, its result stays, and so does the loss; the gradient to the weights is 1/α of "
        "what it was: the larger a layer's weights, the smaller its gradient. Below, one training step in double on "
        "the first batch, γ and β drawn, each layer by itself; shares are of the largest magnitude at α = 1. Layers "
        "without a norm are the control, and so is ε = 0: there only rounding is left. ε breaks the law where it is "
        "not small beside the variance: the last table of a network has its share of the smallest variance (or "
        "deviation, where it is outside the root), and α·‖dW‖ over that at α = 1, at the smallest α."});
    document.data["networks"] = Json::array();
    for (const Recipe& recipe : options.recipes) {
        const FirstStep first = first_step(recipe, material);
        NetworkConfig network = first.network();
        const NormConfig norm = network.norm;
        const auto scaled = [&] { return scale_layers(network, first.state, first.batch.view(), options.alphas); };
        const std::vector<ScaledLayer> with = scaled();
        network.norm.epsilon = 0;
        const std::vector<ScaledLayer> exact = scaled();
        if (&recipe == &options.recipes.front()) {
            add_first_layer(document, exact.front(), with.front(), exact.back(), norm, recipe.name);
        }
        Json field = {{"recipe", recipe.name},
                      {"epsilon", norm.epsilon},
                      {"without_epsilon", Json::array()},
                      {"with_epsilon", Json::array()}};
        document.blocks.emplace_back(layers_table(exact, network.norm, recipe.name, field["without_epsilon"]));
        document.blocks.emplace_back(layers_table(with, norm, recipe.name, field["with_epsilon"]));
        document.data["networks"].push_back(std::move(field));
    }
}

}  // namespace byhand::lab
