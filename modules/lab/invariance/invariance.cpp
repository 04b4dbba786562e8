#include "lab/invariance/invariance.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/member.h"
#include "judge/finding.h"
#include "lab/agreement.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/operation.h"

namespace byhand::lab {
namespace {

std::vector<double> scales_of(const InvarianceOptions& options) {
    return options.alphas.empty() ? std::vector<double>{100} : options.alphas;
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

// Mean and deviation, with the norm's own divisor.
MeanAndDeviation moments(const std::vector<double>& values, Divisor divisor) {
    const auto n = static_cast<double>(values.size());
    MeanAndDeviation of = mean_and_deviation(values);
    of.deviation *= divisor == Divisor::n ? std::sqrt((n - 1) / n) : 1;
    return of;
}

// One unit under one norm.
struct Example {
    NormConfig norm;
    Graph graph;
    Numbers<double> values;  // of the forward pass, and dhpreact
    MeanAndDeviation of_y;
};

// The values times `scale`; backwards from the gradients 1, 2, 3 …
Example example_of(const InvarianceOptions& options, double scale, Divisor divisor, double epsilon) {
    const NormConfig norm{.batch_divisor = divisor, .epsilon = epsilon};
    Example example{norm,
                    operation_graph(op::kBatchnorm, norm, options.values.size(), 1),
                    {{{"bngain", {options.gain}}, {"bnbias", {options.bias}}}},
                    {}};
    std::vector<double>&x = example.values["hprebn"], &dy = example.values["dhpreact"];
    for (const double value : options.values) {
        x.push_back(value * scale);
        dy.push_back(static_cast<double>(x.size()));
    }
    run(example.graph.forward, example.values);
    example.of_y = moments(example.values["hpreact"], divisor);
    return example;
}

// y of the values and of their multiples, without ε: a row of the batch each, mean and deviation below.
Table example_table(const std::vector<Example>& exact, const std::vector<double>& scales) {
    constexpr std::size_t kShown = 4;  // scales
    const Divisor divisor = exact.front().norm.batch_divisor;
    Table table{fmt::format("y with ε = 0, divisor {}", divisor == Divisor::n ? "n" : "n − 1"), {"", "x"}, {}};
    const std::size_t shown = std::min(kShown, scales.size());
    for (std::size_t i = 0; i < shown; ++i) {
        table.columns.emplace_back(fmt::format("y of {:g}·x", scales[i]));
    }
    const auto add = [&](const std::string& name, const auto& figure) {
        std::vector<Cell>& row =
            table.rows.emplace_back(std::vector<Cell>{name, significant(figure(exact.front().values["hprebn"]), 6)});
        for (std::size_t i = 0; i < shown; ++i) {
            row.push_back(fixed(figure(exact[i].values["hpreact"]), 6));
        }
    };
    for (std::size_t i = 0; i < exact.front().graph.rows; ++i) {
        add(fmt::format("row {}", i + 1), [i](const std::vector<double>& column) { return column[i]; });
    }
    add("mean", [&](const std::vector<double>& column) { return moments(column, divisor).mean; });
    add("deviation", [&](const std::vector<double>& column) { return moments(column, divisor).deviation; });
    return table;
}

Json json_of(const Example& example) {
    const Numbers<double>& values = example.values;
    return {{"epsilon", example.norm.epsilon},
            {"mean", values["bnmeani"][0]},
            {"variance", values["bnvar"][0]},
            {"normalised", values["bnraw"]},
            {"output", values["hpreact"]},
            {"output_mean", example.of_y.mean},
            {"output_deviation", example.of_y.deviation}};
}

void compare_with_torch(Document& document, const Example& example, const std::string& what,
                        const torch_ref::Factory& torch, std::vector<Agreement>& agreements) {
    const InFloat ours = in_float(example.graph, example.values);
    if (!std::ranges::all_of(ours.bounds["hpreact"], [](const Rounded& y) { return std::isfinite(y.any_order()); })) {
        document.blocks.emplace_back(Text{what + ": these values lie so close together, beside their size, that float "
                                                 "cannot tell their variance from 0: not compared with LibTorch."});
        return;
    }
    const auto operations = torch.single_operation(op::kBatchnorm, example.norm, example.graph.rows, 1);
    for (const auto& [title, name] : {std::pair{": y", "hpreact"}, {": dx", "dhprebn"}}) {
        agreements.push_back(
            agreement(what + title, ours.made[name], ours.bounds[name], evaluate(*operations, name, example.values)));
    }
}

// The largest over all scales and both divisors.
struct Largest {
    double moved = 0;      // of y, from y unscaled
    double mean = 0;       // of y's mean, from β
    double deviation = 0;  // of y's deviation, from |γ|
};

// Each claim with its figure without ε, which it goes by, and with ε.
Table claims_table(const InvarianceOptions& options, double epsilon, const Largest& exact,
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
    return table;
}

void add_example(Document& document, const InvarianceOptions& options, double epsilon, const Setting& setting) {
    std::vector<double> scales = scales_of(options);
    scales.insert(scales.begin(), 1);
    std::vector<Agreement> agreements;
    std::array<Largest, 2> largest;  // without ε, with ε
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        const char* key = divisor == Divisor::n ? "n" : "n-1";
        std::array<std::vector<Example>, 2> examples;  // without ε, with ε; a scale each
        for (const double scale : scales) {
            examples[0].push_back(example_of(options, scale, divisor, 0));
            examples[1].push_back(example_of(options, scale, divisor, epsilon));
            document.data["divisors"][key].push_back(
                {{"scale", scale},
                 {"values", examples[0].back().values["hprebn"]},
                 {"runs", Json::array({json_of(examples[0].back()), json_of(examples[1].back())})}});
            if (setting.torch != nullptr) {
                compare_with_torch(document, examples[1].back(), fmt::format("times {:g}, {}", scale, key),
                                   *setting.torch, agreements);
            }
        }
        document.blocks.emplace_back(example_table(examples[0], scales));
        for (std::size_t e = 0; e < examples.size(); ++e) {
            for (const Example& one : examples[e]) {
                const double moved = largest_difference(one.values["hpreact"], examples[e].front().values["hpreact"]);
                largest[e] = {std::max(largest[e].moved, moved),
                              std::max(largest[e].mean, std::abs(one.of_y.mean - options.bias)),
                              std::max(largest[e].deviation, std::abs(one.of_y.deviation - std::abs(options.gain)))};
            }
        }
    }
    if (!agreements.empty()) {
        add_agreements(document, "float by hand against LibTorch in double", agreements);
    }
    document.blocks.emplace_back(claims_table(options, epsilon, largest[0], largest[1]));
}

}  // namespace

Experiment invariance_experiment() {
    const auto prepare = [] {
        return prepared<InvarianceOptions>(
            [](InvarianceOptions& options) -> std::vector<OwnOption> {
                return {{"--values", "Values of one unit, a row of the batch each", &options.values},
                        {"--alpha",
                         "Factors of the values and of a layer's weights [100 for the values, 0.001 to 1000 for the "
                         "weights]",
                         &options.alphas},
                        {"--gain", "γ of the unit", &options.gain},
                        {"--bias", "β of the unit", &options.bias}};
            },
            invariance);
    };
    return {.name = "invariance",
            .note = "note 2",
            .about = "Weights times α: the norm's output is unchanged",
            .networks = Networks::plain,
            .second_recipe = "makemore-deep",
            .prepare = prepare};
}

Document invariance(const InvarianceOptions& options, const Setup& setup) {
    check(options);
    Document document{"lab invariance", "note 2", "The same values a hundred times as large", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{"A layer before this one changes, and a unit's values are multiplied by one number. The note's claim: the "
             "norm takes that out again, so that y stays; only ε depends on how large the values are."});
    document.blocks.emplace_back(Formulas{{"batchnorm_mean", "batchnorm_variance", "batchnorm_inverse_deviation",
                                           "batchnorm_normalise", "batchnorm_scale_shift"}});
    add_example(document, options, setup.recipes.front().network.norm.epsilon, setup.setting);
    add_layers(document,
               options.alphas.empty() ? std::vector<double>{1e-3, 1e-2, 0.1, 1, 10, 100, 1000} : options.alphas, setup);
    return document;
}

}  // namespace byhand::lab
