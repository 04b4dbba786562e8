#include "lab/invariance/invariance.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "judge/finding.h"
#include "lab/agreement.h"
#include "lab/figures.h"
#include "lab/invariance/law.h"
#include "lab/norm_steps.h"

namespace byhand::lab {
namespace {

// ---- the worked example ----

// Beyond these float cannot square the numbers, or their distances from the mean.
constexpr double kLargest = 1e15, kSmallest = 1e-15;

void check(const InvarianceOptions& options) {
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

NormConfig conventions(Divisor divisor, double epsilon) {
    NormConfig norm;
    norm.batch_divisor = divisor;
    norm.epsilon = epsilon;
    return norm;
}

// One unit; backwards from the gradients 1, 2, 3 …
NormInput<double> input_of(const InvarianceOptions& options, double scale) {
    const std::size_t n = options.values.size();
    NormInput<double> in{n, 1, options.values, {}, {options.gain}, {options.bias}};
    for (std::size_t i = 0; i < n; ++i) {
        in.x[i] *= scale;
        in.dy.push_back(static_cast<double>(i + 1));
    }
    return in;
}

struct Moments {
    double mean = 0, deviation = 0;  // with the norm's own divisor
};

Moments moments(const std::vector<double>& values, Divisor divisor) {
    const auto n = static_cast<double>(values.size());
    const MeanAndDeviation bessel = mean_and_deviation(values);
    return {bessel.mean, divisor == Divisor::n ? bessel.deviation * std::sqrt((n - 1) / n) : bessel.deviation};
}

// The values times `scale`, normalised and handed on with either ε: a row of the batch each, mean and deviation below.
Table example_table(const NormInput<double>& in, const InvarianceOptions& options, Divisor divisor, double scale) {
    const std::string epsilon = fmt::format("{}", options.epsilon);
    Table table{fmt::format("the values{}, divisor {}", scale == 1 ? "" : fmt::format(" times {}", scale),
                            divisor == Divisor::n ? "n" : "n − 1"),
                {"", "value", "x̂ (ε = 0)", "y (ε = 0)", "x̂ (ε = " + epsilon + ")", "y (ε = " + epsilon + ")"},
                {}};
    std::vector<std::vector<double>> columns = {in.x};
    for (const double each : {0.0, options.epsilon}) {
        const NormForward<double> f = norm_forward(in, conventions(divisor, each));
        columns.push_back(f.bnraw);
        columns.push_back(f.y);
    }
    constexpr int kDecimals = 6;
    for (std::size_t i = 0; i < in.n; ++i) {
        std::vector<Cell>& row = table.rows.emplace_back();
        row.emplace_back(fmt::format("row {}", i + 1));
        row.push_back(significant(in.x[i], kDecimals));
        for (std::size_t c = 1; c < columns.size(); ++c) {
            row.push_back(fixed(columns[c][i], kDecimals));
        }
    }
    std::vector<Cell> mean = {"mean"}, deviation = {"deviation"};
    for (std::size_t c = 0; c < columns.size(); ++c) {
        const Moments of = moments(columns[c], divisor);
        mean.push_back(c == 0 ? significant(of.mean, kDecimals) : fixed(of.mean, kDecimals));
        deviation.push_back(c == 0 ? significant(of.deviation, kDecimals) : fixed(of.deviation, kDecimals));
    }
    table.rows.push_back(std::move(mean));
    table.rows.push_back(std::move(deviation));
    return table;
}

Json example_data(const NormInput<double>& in, double epsilon, Divisor divisor) {
    const NormForward<double> f = norm_forward(in, conventions(divisor, epsilon));
    const Moments of = moments(f.y, divisor);
    return {{"epsilon", epsilon}, {"mean", f.bnmeani[0]},   {"variance", f.bnvar[0]},          {"normalised", f.bnraw},
            {"output", f.y},      {"output_mean", of.mean}, {"output_deviation", of.deviation}};
}

void compare_with_torch(Document& document, const NormInput<double>& in, const NormConfig& norm,
                        const std::string& what, const Setting& setting, std::vector<Agreement>& agreements) {
    const NormInput<float> in32 = as<float>(in);
    const NormForward<float> f32 = norm_forward(in32, norm);
    const NormInput<Rounded> rounded = as<Rounded>(in);
    const NormForward<Rounded> bounds = norm_forward(rounded, norm);
    if (!std::ranges::all_of(bounds.y, [](const Rounded& y) { return std::isfinite(y.any_order()); })) {
        document.blocks.emplace_back(Text{what + ": these values lie so close together, beside their size, that float "
                                                 "cannot tell their variance from 0: not held against LibTorch."});
        return;
    }
    const auto torch = setting.torch->single_operation(op::kBatchnorm, norm, in.n, in.H);
    const std::vector<View> values = views_of(in);
    agreements.push_back(agreement(what + ": y", f32.y, bounds.y, torch->evaluate("hpreact", values)));
    agreements.push_back(agreement(what + ": dx", norm_backward(in32, f32, norm).dx,
                                   norm_backward(rounded, bounds, norm).dx, torch->evaluate("dhprebn", values)));
}

// The largest distance of what comes out from what comes out unscaled.
double moved(const InvarianceOptions& options, double scale, Divisor divisor, double epsilon) {
    const NormConfig norm = conventions(divisor, epsilon);
    return largest_difference(norm_forward(input_of(options, scale), norm).y,
                              norm_forward(input_of(options, 1), norm).y);
}

void tell_example(Document& document, const InvarianceOptions& options, const Setting& setting) {
    std::vector<double> scales = {1};
    scales.insert(scales.end(), options.scales.begin(), options.scales.end());
    std::vector<Agreement> agreements;
    Table change{"how far y lies from y unscaled, at most", {"", "divisor n", "divisor n − 1"}, {}};
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        const std::string key = divisor == Divisor::n ? "n" : "n-1";
        for (const double scale : scales) {
            const NormInput<double> in = input_of(options, scale);
            document.blocks.emplace_back(example_table(in, options, divisor, scale));
            Json one = {{"scale", scale}, {"values", in.x}, {"runs", Json::array()}};
            for (const double epsilon : {0.0, options.epsilon}) {
                one["runs"].push_back(example_data(in, epsilon, divisor));
            }
            document.data["divisors"][key].push_back(std::move(one));
            if (setting.torch != nullptr) {
                compare_with_torch(document, in, conventions(divisor, options.epsilon),
                                   fmt::format("times {}, {}", scale, key), setting, agreements);
            }
        }
    }
    for (const double scale : options.scales) {
        for (const double epsilon : {0.0, options.epsilon}) {
            change.rows.push_back({fmt::format("times {}, ε = {}", scale, epsilon),
                                   significant(moved(options, scale, Divisor::n, epsilon), 2),
                                   significant(moved(options, scale, Divisor::n_minus_1, epsilon), 2)});
        }
    }
    document.blocks.emplace_back(std::move(change));
    if (!agreements.empty()) {
        document.blocks.emplace_back(table_of("float by hand against LibTorch in double", agreements));
        document.agrees = document.agrees && all_hold(agreements);
    }
}

// The largest, over all scales and both divisors.
struct Measured {
    double moved = 0;      // of y, from y unscaled
    double mean = 0;       // of y's mean, from β
    double deviation = 0;  // of y's deviation, from |γ|
};
Measured measure(const InvarianceOptions& options, double epsilon) {
    Measured most;
    for (const double scale : options.scales) {
        for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
            const NormForward<double> f = norm_forward(input_of(options, scale), conventions(divisor, epsilon));
            const Moments of = moments(f.y, divisor);
            most.moved = std::max(most.moved, moved(options, scale, divisor, epsilon));
            most.mean = std::max(most.mean, std::abs(of.mean - options.bias));
            most.deviation = std::max(most.deviation, std::abs(of.deviation - std::abs(options.gain)));
        }
    }
    return most;
}

void conclude_example(Document& document, const InvarianceOptions& options) {
    const Measured without = measure(options, 0), with = measure(options, options.epsilon);
    const double rounding = kRounding * (std::abs(options.gain) + std::abs(options.bias));
    const bool holds = without.moved <= rounding && without.mean <= rounding && without.deviation <= rounding;
    document.blocks.emplace_back(Text{fmt::format(
        "{} With ε = 0 the scaled values give y that lies {:.1g} from y unscaled at most; its mean {:.1g} from β = "
        "{}, its deviation, taken with the norm's own divisor, {:.1g} from |γ| = {}. With ε = {} the three are {:.1g}, "
        "{:.1g} and {:.1g}.",
        holds ? "The claim holds of these numbers, but for rounding and ε."
              : "The claim does not hold of these numbers.",
        without.moved, without.mean, options.bias, without.deviation, std::abs(options.gain), options.epsilon,
        with.moved, with.mean, with.deviation)});
}

}  // namespace

Document invariance(const InvarianceOptions& options, const Material& material, const Setting& setting) {
    check(options);
    Document document{"lab invariance", "note 2", "The same values a hundred times as large", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{"A layer before this one changes, and a unit's values are suddenly all multiplied by one number. The "
             "note's claim: the norm takes that out again, and the layer behind need not adjust. Look at the columns "
             "y: they should be the same in both tables of a divisor; ε alone knows how large the values were. The "
             "two divisors differ: n gives normalised values of deviation 1 taken with n, n − 1 those of deviation 1 "
             "taken with n − 1."});
    document.blocks.emplace_back(Formulas{{"batchnorm_mean", "batchnorm_variance", "batchnorm_inverse_deviation",
                                           "batchnorm_normalise", "batchnorm_scale_shift"}});
    tell_example(document, options, setting);
    conclude_example(document, options);
    tell_law(document, options, material);
    return document;
}

}  // namespace byhand::lab
