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
#include "lab/figures.h"
#include "lab/operation.h"

namespace byhand::lab {
namespace {

std::string epsilon_words(double epsilon) {
    return fmt::format("ε = {}", epsilon);
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
    for (const std::vector<double>* factors : {&options.scales, &options.alphas}) {
        if (!std::ranges::all_of(*factors, [](double factor) { return factor > 0; })) {
            throw InputError("--alpha takes numbers above 0: a negative one turns every sign round");
        }
    }
    for (const double scale : options.scales) {
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

// A row of the batch each, mean and deviation below: the values, and x̂ and y of the norms with either ε.
Table example_table(const Example& exact, const Example& with_epsilon, double scale) {
    constexpr int kDigits = 6;
    const Divisor divisor = exact.norm.batch_divisor;
    const std::string epsilon = epsilon_words(with_epsilon.norm.epsilon);
    Table table{fmt::format("the values{}, divisor {}", scale == 1 ? "" : fmt::format(" times {}", scale),
                            divisor == Divisor::n ? "n" : "n − 1"),
                {"", "value", "x̂ (ε = 0)", "y (ε = 0)", "x̂ (" + epsilon + ")", "y (" + epsilon + ")"},
                {}};
    const auto add = [&](const std::string& name, const auto& figure) {
        std::vector<Cell>& row =
            table.rows.emplace_back(std::vector<Cell>{name, significant(figure(exact.values["hprebn"]), kDigits)});
        for (const Example* example : {&exact, &with_epsilon}) {
            row.push_back(fixed(figure(example->values["bnraw"]), kDigits));
            row.push_back(fixed(figure(example->values["hpreact"]), kDigits));
        }
    };
    for (std::size_t i = 0; i < exact.graph.rows; ++i) {
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
Table claims_table(const InvarianceOptions& options, const Largest& exact, const Largest& with_epsilon) {
    const double rounding = kRounding * (std::abs(options.gain) + std::abs(options.bias));
    Table table{"the claim on these numbers, over all scales and divisors",
                {"at most", "ε = 0", epsilon_words(options.epsilon), "with ε = 0"},
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

void add_example(Document& document, const InvarianceOptions& options, const Setting& setting) {
    std::vector<double> scales = {1};
    scales.insert(scales.end(), options.scales.begin(), options.scales.end());
    Table change{"how far y lies from y unscaled, at most", {"", "divisor n", "divisor n − 1"}, {}};
    for (const double scale : options.scales) {
        for (const double epsilon : {0.0, options.epsilon}) {
            change.rows.push_back({fmt::format("times {}, {}", scale, epsilon_words(epsilon))});
        }
    }
    std::vector<Agreement> agreements;
    std::array<Largest, 2> largest;  // without ε, with ε
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        const char* key = divisor == Divisor::n ? "n" : "n-1";
        std::array<std::vector<double>, 2> unscaled;
        std::size_t row = 0;
        for (const double scale : scales) {
            const std::array examples = {example_of(options, scale, divisor, 0),
                                         example_of(options, scale, divisor, options.epsilon)};
            document.blocks.emplace_back(example_table(examples[0], examples[1], scale));
            document.data["divisors"][key].push_back(
                {{"scale", scale},
                 {"values", examples[0].values["hprebn"]},
                 {"runs", Json::array({json_of(examples[0]), json_of(examples[1])})}});
            if (setting.torch != nullptr) {
                compare_with_torch(document, examples[1], fmt::format("times {}, {}", scale, key), *setting.torch,
                                   agreements);
            }
            for (std::size_t e = 0; e < examples.size(); ++e) {
                const bool is_first = unscaled[e].empty();
                if (is_first) {
                    unscaled[e] = examples[e].values["hpreact"];
                    continue;
                }
                const double moved = largest_difference(examples[e].values["hpreact"], unscaled[e]);
                change.rows[row++].push_back(significant(moved, 2));
                const auto [mean, deviation] = examples[e].of_y;
                largest[e] = {std::max(largest[e].moved, moved),
                              std::max(largest[e].mean, std::abs(mean - options.bias)),
                              std::max(largest[e].deviation, std::abs(deviation - std::abs(options.gain)))};
            }
        }
    }
    document.blocks.emplace_back(std::move(change));
    if (!agreements.empty()) {
        document.blocks.emplace_back(table_of("float by hand against LibTorch in double", agreements));
        document.agrees = document.agrees && all_hold(agreements);
    }
    document.blocks.emplace_back(claims_table(options, largest[0], largest[1]));
}

}  // namespace

Document invariance(const InvarianceOptions& options, const Material& material, const Setting& setting) {
    check(options);
    Document document{"lab invariance", "note 2", "The same values a hundred times as large", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{"A layer before this one changes, and a unit's values are suddenly all multiplied by one number. The "
             "note's claim: the norm takes that out again, and the layer behind need not adjust. The columns y should "
             "be the same in both tables of a divisor; only ε depends on how large the values are. The divisor n gives "
             "normalised values of deviation 1 taken with n, n − 1 those of deviation 1 taken with n − 1."});
    document.blocks.emplace_back(Formulas{{"batchnorm_mean", "batchnorm_variance", "batchnorm_inverse_deviation",
                                           "batchnorm_normalise", "batchnorm_scale_shift"}});
    add_example(document, options, setting);
    add_layers(document, options, material);
    return document;
}

}  // namespace byhand::lab
