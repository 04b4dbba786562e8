#include "lab/loss/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/json.h"
#include "base/member.h"
#include "lab/figures.h"
#include "lab/loss/gradients.h"
#include "lab/loss/training.h"
#include "lab/shortened.h"
#include "train/run.h"

namespace byhand::lab {
namespace {

std::vector<LossTraining> trainings_of(const LossOptions& options) {
    std::vector<LossTraining> trainings = {
        {"cross-entropy", Start::cross_entropy, 1},
        {"note's start, mean", Start::notes_start, 1},
        {"note's start, sum", Start::notes_start, static_cast<double>(options.recipe.batch)}};
    for (const double factor : options.rate_factors) {
        trainings.push_back({factor == 1 ? "squared error" : fmt::format("squared error, rates × {:g}", factor),
                             Start::squared_error, factor});
    }
    return trainings;
}

using Results = std::vector<LossTrained>;  // a seed each

std::vector<double> finals(const Results& results, Member<Losses, double> which) {
    std::vector<double> values;
    values.reserve(results.size());
    for (const LossTrained& one : results) {
        values.push_back(one.final.*which);
    }
    return values;
}

// The mean over the seeds, and a band of one deviation on either side.
Series curve_of(const std::string& name, const Results& results, Member<Losses, double> which,
                const std::vector<std::size_t>& points) {
    Series curve;
    curve.name = name;
    curve.x.assign(points.begin(), points.end());
    for (std::size_t i = 0; i < points.size(); ++i) {
        std::vector<double> values;
        values.reserve(results.size());
        for (const LossTrained& one : results) {
            values.push_back(one.curve[i].*which);
        }
        const MeanAndDeviation figures = mean_and_deviation(values);
        curve.y.push_back(figures.mean);
        curve.low.push_back(figures.mean - figures.deviation);
        curve.high.push_back(figures.mean + figures.deviation);
    }
    return curve;
}

// "cross-entropy is 0.31 ± 0.02 higher", of `values` against `others`, seed by seed.
std::string difference(const char* what, const std::vector<double>& values, const std::vector<double>& others) {
    std::vector<double> differences;
    differences.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        differences.push_back(values[i] - others[i]);
    }
    const MeanAndDeviation figures = mean_and_deviation(differences);
    const std::string figure = fmt::format("{:.2g} ± {:.1g}", std::abs(figures.mean), figures.deviation);
    if (!std::isfinite(figures.mean)) {
        return fmt::format("{} is not finite on every seed", what);
    }
    return std::abs(figures.mean) <= figures.deviation
               ? fmt::format("{} is the same within the spread ({} apart)", what, figure)
               : fmt::format("{} is {} {}", what, figure, figures.mean > 0 ? "higher" : "lower");
}

void tell_trainings(Document& document, const LossOptions& options, const Material& material, const Setting& setting) {
    const Recipe recipe = in_steps(options.recipe, options.steps);
    const std::vector<LossTraining> trainings = trainings_of(options);
    const std::vector<std::vector<LossTrained>> results =
        train_losses(trainings, recipe, options.seeds, material, setting);
    const std::vector<std::size_t> points = curve_points(options.steps);

    Table table{fmt::format("Trained on names, {} steps of recipe {} on {} seeds: losses over the validation names",
                            options.steps, recipe.name, options.seeds.count),
                {"backwards from", "rates ×", "cross-entropy", "squared error"},
                {}};
    Plot of_cross_entropy{
        .title = "Cross-entropy of validation names", .x_label = "steps", .y_label = "", .series = {}};
    Plot of_squared_error{
        .title = "Squared error of validation names", .x_label = "steps", .y_label = "", .series = {}};
    std::string verdicts = "Against the training from cross-entropy, seed by seed:";
    const std::vector<double> best_cross_entropy = finals(results.front(), &Losses::cross_entropy);
    const std::vector<double> best_squared_error = finals(results.front(), &Losses::squared_error);
    for (std::size_t i = 0; i < trainings.size(); ++i) {
        const auto& [name, start, factor] = trainings[i];
        const std::vector<double> cross_entropy = finals(results[i], &Losses::cross_entropy);
        const std::vector<double> squared_error = finals(results[i], &Losses::squared_error);
        table.rows.push_back(
            {name, significant(factor, 4), with_spread(cross_entropy, 4), with_spread(squared_error, 4)});
        of_cross_entropy.series.push_back(curve_of(name, results[i], &Losses::cross_entropy, points));
        of_squared_error.series.push_back(curve_of(name, results[i], &Losses::squared_error, points));
        if (i > 0) {
            verdicts +=
                fmt::format("\n{}: {}, {}.", name, difference("cross-entropy", cross_entropy, best_cross_entropy),
                            difference("squared error", squared_error, best_squared_error));
        }
        Json seeds = Json::array(), curve = Json::array();
        for (std::size_t seed = 0; seed < cross_entropy.size(); ++seed) {
            seeds.push_back({{"seed", list(options.seeds)[seed]},
                             {"cross_entropy", number(cross_entropy[seed])},
                             {"squared_error", number(squared_error[seed])}});
        }
        for (std::size_t at = 0; at < points.size(); ++at) {
            curve.push_back({{"steps", points[at]},
                             {"cross_entropy", number(of_cross_entropy.series.back().y[at])},
                             {"squared_error", number(of_squared_error.series.back().y[at])}});
        }
        document.data["trainings"].push_back(
            {{"name", name}, {"rate_factor", factor}, {"seeds", std::move(seeds)}, {"curve", std::move(curve)}});
    }
    document.blocks.emplace_back(std::move(table));
    const auto lowest_by = [&](Member<Losses, double> which) {
        const auto mean = [which](const Results& of_seeds) {
            const double of_all = mean_and_deviation(finals(of_seeds, which)).mean;
            return std::isnan(of_all) ? std::numeric_limits<double>::infinity() : of_all;  // a NaN is never the lowest
        };
        const auto best = std::ranges::min_element(results, {}, mean);
        return trainings[static_cast<std::size_t>(best - results.begin())].name;
    };
    verdicts += fmt::format("\nThe lowest cross-entropy: {}. The lowest squared error: {}.",
                            lowest_by(&Losses::cross_entropy), lowest_by(&Losses::squared_error));
    document.blocks.emplace_back(Text{verdicts});
    document.plots.push_back(std::move(of_cross_entropy));
    document.plots.push_back(std::move(of_squared_error));
}

}  // namespace

Document loss(const LossOptions& options, const Material& material, const Setting& setting) {
    const Run run = prepare(options.recipe, material.names, material.where);
    Document document{"lab loss", "note 1", "Where the backward pass begins", {}, {}, {}, true};
    document.blocks.emplace_back(Text{
        "Note 1 takes half a squared error of the probabilities for its loss, differentiates it to Ŷ − Y, and goes "
        "on from there as if that were the gradient of the logits. It is the gradient of the probabilities: on "
        "the way to the logits it has softmax's Jacobian to pass. Three gradients stand side by side: the note's, "
        "the one that this loss really has, and cross-entropy's."});
    document.blocks.emplace_back(Formulas{{"squared_error_forward", "squared_error_backward", "softmax_backward",
                                           "cross_entropy_forward", "cross_entropy_backward"}});
    tell_gradients(document, {run.recipe.batch, run.recipe.network.vocabulary, options.recipe.seed, options.scales},
                   setting);
    tell_trainings(document, options, material, setting);
    return document;
}

}  // namespace byhand::lab
