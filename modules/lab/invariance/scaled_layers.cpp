// A network with one layer's weights multiplied by α.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "base/member.h"
#include "base/value.h"
#include "judge/finding.h"
#include "lab/figures.h"
#include "lab/first_step.h"
#include "lab/invariance/invariance.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

std::vector<double> copy_of(const Tensors<double>& tensors, const std::string& name) {
    const std::span<const double> values = tensors[name];
    return {values.begin(), values.end()};
}

double largest(const std::vector<double>& values) {
    return largest_difference(values, std::vector<double>(values.size(), 0));
}

// Of one layer, after a forward and a backward pass.
struct Pass {
    std::vector<double> result, gradient;
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
    Pass pass{copy_of(tensors, handed_on(layer)), copy_of(tensors, gradient_of(layer.W())), tensors["loss"][0]};
    std::ranges::for_each(pass.gradient, [alpha](double& value) { value *= alpha; });
    return pass;
}

ScaledLayer scale_layer(Runner<double>& runner, const Tensors<float>& state, const Layer& layer,
                        const std::vector<double>& alphas) {
    const Pass before = run(runner, state, layer, 1);
    ScaledLayer made{layer, handed_on(layer), {}};
    for (const double alpha : alphas) {
        const Pass after = run(runner, state, layer, alpha);
        made.scaled.push_back(
            {.alpha = alpha,
             .result_change = largest_difference(after.result, before.result) / largest(before.result),
             .loss_change = std::abs(after.loss - before.loss) / before.loss,
             .gradient_ratio = norm(after.gradient) / norm(before.gradient),
             .gradient_change = largest_difference(after.gradient, before.gradient) / largest(before.gradient)});
    }
    return made;
}

bool has_norm_behind(const ScaledLayer& scaled) {
    return scaled.layer.has_batchnorm_first;
}

double largest(const ScaledLayer& layer, Member<Scaled, double> figure) {
    double most = 0;
    for (const Scaled& one : layer.scaled) {
        most = one.*figure <= most || std::isnan(most) ? most : one.*figure;
    }
    return most;
}

Json json_of(const ScaledLayer& layer, bool holds) {
    Json scaled = Json::array();
    for (const Scaled& one : layer.scaled) {
        scaled.push_back({{"alpha", one.alpha},
                          {"result_change", number(one.result_change)},
                          {"loss_change", number(one.loss_change)},
                          {"gradient_ratio", number(one.gradient_ratio)},
                          {"gradient_change", number(one.gradient_change)}});
    }
    return {{"weights", layer.layer.W()},
            {"result", layer.result},
            {"norm_behind", has_norm_behind(layer)},
            {"holds", holds},
            {"scaled", std::move(scaled)}};
}

// Adds the network's layers to its JSON as well: the claim is a layer's by the worst of all α.
Table layers_table(const std::vector<ScaledLayer>& layers, const std::string& title, Json& field) {
    Table table{title + ": the most that any α does",
                {"", "norm behind", "result moves", "loss moves", "α·dW moves", "holds"},
                {}};
    for (const ScaledLayer& layer : layers) {
        const double result = largest(layer, &Scaled::result_change), loss = largest(layer, &Scaled::loss_change);
        const double gradient = largest(layer, &Scaled::gradient_change);
        const bool holds = result <= kRounding && loss <= kRounding && gradient <= kRounding;
        table.rows.push_back({layer.layer.W(),
                              has_norm_behind(layer) ? "yes" : "no",
                              significant(result, 2),
                              significant(loss, 2),
                              significant(gradient, 2),
                              {holds ? "yes" : "no", holds}});
        field.push_back(json_of(layer, holds));
    }
    return table;
}

// How far the result of a layer moves by α, with ε and without.
Plot moves_of(const ScaledLayer& with, const ScaledLayer& exact, const std::string& recipe) {
    Plot plot{fmt::format("{}: how far {} moves when {} is multiplied by α", recipe, with.result, with.layer.W()),
              "α",
              "share of its largest magnitude",
              {},
              true,
              true};
    for (const auto& [name, layer] : {std::pair{"with ε", &with}, {"ε = 0 (rounding)", &exact}}) {
        plot.series.push_back({name,
                               figures_of(layer->scaled, &Scaled::alpha),
                               figures_of(layer->scaled, &Scaled::result_change),
                               {},
                               {},
                               Style::both});
    }
    return plot;
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

void add_layers(Document& document, const std::vector<double>& alphas, const Setup& setup) {
    document.blocks.emplace_back(Text{
        "The general law, on a whole network: multiply a layer's weights and its bias by α. If a norm stands straight "
        "behind the linear, its result stays, and so does the loss; the gradient to the weights is 1/α of what it was. "
        "Below, one training step in double on the first batch, γ and β drawn, each layer by itself; shares are of the "
        "largest magnitude at α = 1. Layers without a norm are the control, and so is ε = 0."});
    document.data["networks"] = Json::array();
    for (const Recipe& recipe : setup.recipes) {
        const FirstStep first = first_step(recipe, setup.material);
        NetworkConfig network = first.network();
        const auto scaled = [&](double epsilon) {
            network.norm.epsilon = epsilon;
            return scale_layers(network, first.state, first.batch.view(), alphas);
        };
        const double epsilon = network.norm.epsilon;
        const std::vector<ScaledLayer> with = scaled(epsilon), exact = scaled(0);
        Json field = {{"recipe", recipe.name},
                      {"epsilon", epsilon},
                      {"without_epsilon", Json::array()},
                      {"with_epsilon", Json::array()}};
        document.blocks.emplace_back(layers_table(exact, recipe.name + ", ε = 0", field["without_epsilon"]));
        document.blocks.emplace_back(
            layers_table(with, fmt::format("{}, ε = {}", recipe.name, epsilon), field["with_epsilon"]));
        document.data["networks"].push_back(std::move(field));
        if (&recipe == &setup.recipes.front()) {
            document.plots.push_back(moves_of(with.front(), exact.front(), recipe.name));
        }
    }
}

}  // namespace byhand::lab
