#include "lab/invariance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/member.h"
#include "base/value.h"
#include "judge/finding.h"
#include "lab/figures.h"
#include "lab/operation.h"
#include "lab/training.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

// Differences up to this share of a value are those of rounding, in double.
constexpr double kRounding = 1e-9;

// 1 among them, which changes nothing.
std::vector<double> scales_of(const InvarianceOptions& options) {
    std::vector<double> scales = options.alphas.empty() ? std::vector<double>{100} : options.alphas;
    if (std::ranges::find(scales, 1.0) == scales.end()) {
        scales.insert(scales.begin(), 1);
    }
    return scales;
}

void check(const InvarianceOptions& options) {
    // Beyond these float cannot square the numbers, or their distances from the mean.
    constexpr double kLargest = 1e15, kSmallest = 1e-15;
    if (options.values.size() < 2) {
        throw InputError("--values takes two numbers at least: one value has no deviation");
    }
    const auto [least, most] = std::ranges::minmax(options.values);
    if (least == most) {
        throw InputError("--values: all are equal, so their deviation is 0 and nothing is left to divide by");
    }
    if (!std::ranges::all_of(options.alphas, [](double factor) { return factor > 0; })) {
        throw InputError("--alpha takes numbers above 0: a negative one turns every sign round");
    }
    for (const double scale : scales_of(options)) {
        const double magnitude = scale * std::max(std::abs(least), std::abs(most));
        if (magnitude > kLargest || scale * (most - least) < kSmallest) {
            throw InputError(
                fmt::format("--values times {}: too large or too close together for float to square "
                            "(up to 1e15, at least 1e-15 apart)",
                            scale));
        }
    }
}

// ---- the note's example ----

// One unit under one norm: the values times `scale`; backwards from the gradients 1, 2, 3 …
struct Example {
    NormConfig norm;
    Graph graph;
    Tensors<double> values;
    MeanAndDeviation of_y;  // by the norm's own divisor
};

Example example_of(const InvarianceOptions& options, double scale, Divisor divisor, double epsilon) {
    const NormConfig norm{.batch_divisor = divisor, .epsilon = epsilon};
    const auto n = static_cast<double>(options.values.size());
    std::vector<double> x, dy;
    for (const double value : options.values) {
        x.push_back(value * scale);
        dy.push_back(static_cast<double>(x.size()));
    }
    Example example{norm,
                    operation_graph(op::kBatchnorm, norm, options.values.size(), 1),
                    batchnorm_inputs(x, dy, {options.gain}, {options.bias}),
                    {}};
    run(example.graph.forward, example.values);
    example.of_y = mean_and_deviation(example.values["hpreact"]);
    example.of_y.deviation *= divisor == Divisor::n ? std::sqrt((n - 1) / n) : 1;
    return example;
}

Json json_of(const Example& example) {
    const Tensors<double>& values = example.values;
    return {{"epsilon", example.norm.epsilon},
            {"mean", values["bnmeani"][0]},
            {"variance", values["bnvar"][0]},
            {"normalised", values.copy_of("bnraw")},
            {"output", values.copy_of("hpreact")},
            {"output_mean", example.of_y.mean},
            {"output_deviation", example.of_y.deviation}};
}

void compare_with_torch(Document& document, const Example& example, const std::string& what,
                        const torch_ref::Factory& torch, std::vector<Agreement>& agreements) {
    const auto bounds = in_float(example.graph, example.values).bounds.copy_of("hpreact");
    if (!std::ranges::all_of(bounds, [](const Rounded& y) { return std::isfinite(y.any_order()); })) {
        document.blocks.emplace_back(Text{what + ": these values lie so close together, beside their size, that float "
                                                 "cannot tell their variance from 0: not compared with LibTorch."});
        return;
    }
    compare(agreements, what + ": ", example.graph, example.values,
            *torch.single_operation(op::kBatchnorm, example.norm, example.graph.rows, 1), {"hpreact", "dhprebn"});
}

// The largest over all scales and both divisors.
struct Largest {
    double moved = 0;      // of y, from y unscaled
    double mean = 0;       // of y's mean, from β
    double deviation = 0;  // of y's deviation, from |γ|
};

// Each claim with its figure without ε, which it goes by, and with ε.
void add_claims(Document& document, const InvarianceOptions& options, double epsilon, const Largest& exact,
                const Largest& with_epsilon) {
    const double rounding = kRounding * (std::abs(options.gain) + std::abs(options.bias));
    Table table{"the claim on these numbers, over all scales and divisors",
                {"at most", "ε = 0", fmt::format("ε = {}", epsilon), "with ε = 0"},
                {}};
    const auto add = [&](const std::string& what, Member<Largest, double> figure) {
        table.rows.push_back({what, significant(exact.*figure, 1), significant(with_epsilon.*figure, 1),
                              exact.*figure <= rounding ? "holds" : "does not hold"});
    };
    add("distance of y from y unscaled", &Largest::moved);
    add(fmt::format("of y's mean from β = {}", options.bias), &Largest::mean);
    add(fmt::format("of y's deviation from |γ| = {}", std::abs(options.gain)), &Largest::deviation);
    document.blocks.emplace_back(std::move(table));
}

void add_example(Document& document, const InvarianceOptions& options, double epsilon, const Setting& setting) {
    std::vector<Agreement> agreements;
    std::array<Largest, 2> largest;  // without ε, with ε
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        const char* key = divisor == Divisor::n ? "n" : "n-1";
        const std::array unscaled = {example_of(options, 1, divisor, 0), example_of(options, 1, divisor, epsilon)};
        for (const double scale : scales_of(options)) {
            Json runs = Json::array();
            for (std::size_t e = 0; e < largest.size(); ++e) {
                const Example one = example_of(options, scale, divisor, e == 0 ? 0 : epsilon);
                const double moved =
                    largest_difference(one.values.copy_of("hpreact"), unscaled[e].values.copy_of("hpreact"));
                largest[e] = {larger(largest[e].moved, moved),
                              larger(largest[e].mean, std::abs(one.of_y.mean - options.bias)),
                              larger(largest[e].deviation, std::abs(one.of_y.deviation - std::abs(options.gain)))};
                runs.push_back(json_of(one));
                if (e == 1 && setting.torch != nullptr) {
                    compare_with_torch(document, one, fmt::format("times {:g}, {}", scale, key), *setting.torch,
                                       agreements);
                }
            }
            std::vector<double> values = options.values;
            std::ranges::for_each(values, [scale](double& value) { value *= scale; });
            document.data["divisors"][key].push_back({{"scale", scale}, {"values", values}, {"runs", std::move(runs)}});
        }
    }
    if (!agreements.empty()) {
        add_agreements(document, "float by hand against LibTorch in double", agreements);
    }
    add_claims(document, options, epsilon, largest[0], largest[1]);
}

// ---- a network's layers ----

// Of one layer, after a forward and a backward pass.
struct Pass {
    std::vector<double> result, gradient;
    double loss = 0;
};

// The gradient is α·dW.
Pass pass_of(Runner<double>& runner, const Tensors<float>& state, const Layer& layer, double alpha) {
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

double largest(const ScaledLayer& layer, Member<Scaled, double> figure) {
    return largest_magnitude(figures_of(layer.scaled, figure));
}

bool holds(const ScaledLayer& layer) {
    return std::ranges::all_of(std::array{&Scaled::result_change, &Scaled::loss_change, &Scaled::gradient_change},
                               [&](Member<Scaled, double> figure) { return largest(layer, figure) <= kRounding; });
}

Json json_of(const std::vector<ScaledLayer>& layers) {
    Json list = Json::array();
    for (const ScaledLayer& one : layers) {
        Json scaled = Json::array();
        for (const Scaled& by : one.scaled) {
            scaled.push_back({{"alpha", by.alpha},
                              {"result_change", number(by.result_change)},
                              {"loss_change", number(by.loss_change)},
                              {"gradient_change", number(by.gradient_change)}});
        }
        list.push_back({{"weights", one.layer.W()},
                        {"result", one.result},
                        {"norm_behind", one.layer.has_batchnorm_first},
                        {"holds", holds(one)},
                        {"scaled", std::move(scaled)}});
    }
    return list;
}

// How far the result of the first layer moves by α, with ε and without.
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

void add_layers(Document& document, const std::vector<double>& alphas, const Recipe& recipe, const Material& material) {
    const FirstStep first = first_step(recipe, material);
    NetworkConfig network = first.network();
    const auto scaled = [&](double epsilon) {
        network.norm.epsilon = epsilon;
        return scale_layers(network, first.state, first.batch.view(), alphas);
    };
    const double epsilon = network.norm.epsilon;
    const std::vector<ScaledLayer> with = scaled(epsilon), exact = scaled(0);
    Table table{fmt::format("{}: the most that any α does, ε = 0; the result also with ε = {}", recipe.name, epsilon),
                {"", "norm behind", "result moves", "with ε", "loss moves", "α·dW moves", "holds"},
                {}};
    for (std::size_t l = 0; l < exact.size(); ++l) {
        const auto most = [&](Member<Scaled, double> figure) { return significant(largest(exact[l], figure), 2); };
        table.rows.push_back({exact[l].layer.W(),
                              exact[l].layer.has_batchnorm_first ? "yes" : "no",
                              most(&Scaled::result_change),
                              significant(largest(with[l], &Scaled::result_change), 2),
                              most(&Scaled::loss_change),
                              most(&Scaled::gradient_change),
                              {holds(exact[l]) ? "yes" : "no", holds(exact[l])}});
    }
    document.blocks.emplace_back(std::move(table));
    document.data["networks"].push_back({{"recipe", recipe.name},
                                         {"epsilon", epsilon},
                                         {"without_epsilon", json_of(exact)},
                                         {"with_epsilon", json_of(with)}});
    if (document.plots.empty()) {
        document.plots.push_back(moves_of(with.front(), exact.front(), recipe.name));
    }
}

}  // namespace

std::vector<ScaledLayer> scale_layers(const NetworkConfig& config, const Tensors<float>& state, const Batch& batch,
                                      const std::vector<double>& alphas) {
    Runner<double> runner(stepwise_graph(config, batch.rows));
    runner.set_batch(batch);
    std::vector<ScaledLayer> all;
    for (const Layer& layer : layers(config)) {
        const Pass before = pass_of(runner, state, layer, 1);
        ScaledLayer& made = all.emplace_back(ScaledLayer{layer, handed_on(layer), {}});
        for (const double alpha : alphas) {
            const Pass after = pass_of(runner, state, layer, alpha);
            made.scaled.push_back({.alpha = alpha,
                                   .result_change = share(after.result, before.result),
                                   .loss_change = std::abs(after.loss - before.loss) / before.loss,
                                   .gradient_change = share(after.gradient, before.gradient)});
        }
    }
    return all;
}

Experiment invariance_experiment() {
    return {.name = "invariance",
            .note = "note 2",
            .about = "Weights times α: the norm's output is unchanged",
            .networks = Networks::plain,
            .second_recipe = "makemore-deep",
            .prepare = [] { return prepared(invariance); }};
}

Document invariance(const InvarianceOptions& options, const Setup& setup) {
    check(options);
    Document document{"lab invariance", "note 2", "The same values a hundred times as large", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{"A layer before this one changes, and a unit's values are multiplied by one number: the norm takes that "
             "out again, so that y stays; only ε depends on how large the values are. In a network, multiply a layer's "
             "weights and its bias by α: where a norm stands straight behind the linear, the result and the loss stay, "
             "and the gradient to the weights is 1/α of what it was."});
    document.blocks.emplace_back(Formulas{{"batchnorm_mean", "batchnorm_variance", "batchnorm_inverse_deviation",
                                           "batchnorm_normalise", "batchnorm_scale_shift"}});
    add_example(document, options, setup.recipes.front().network.norm.epsilon, setup.setting);
    std::vector<double> alphas = {1e-3, 1e-2, 0.1, 1, 10, 100, 1000};
    if (!options.alphas.empty()) {
        alphas = scales_of(options);
        std::ranges::sort(alphas);
    }
    for (const Recipe& recipe : setup.recipes) {
        add_layers(document, alphas, recipe, setup.material);
    }
    return document;
}

}  // namespace byhand::lab
