#include "lab/claims/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lab/figures.h"
#include "lab/paired.h"
#include "lab/table_data.h"

namespace byhand::lab {
namespace {

bool speaks_of(const InitialRule& rule, const std::string& parameter, LayerSet layers) {
    return rule.parameter == parameter && (rule.layers == LayerSet::all || rule.layers == layers);
}

// Every bias there is, 0 at first where the recipe does not say how it begins.
void add_biases(Recipe& recipe) {
    recipe.network.hidden_bias = recipe.network.output_bias = true;
    for (const LayerSet layers : {LayerSet::hidden, LayerSet::output}) {
        if (std::ranges::none_of(recipe.initial,
                                 [&](const InitialRule& rule) { return speaks_of(rule, "b", layers); })) {
            InitialRule rule;
            rule.parameter = "b";
            rule.layers = layers;
            recipe.initial.push_back(rule);
        }
    }
}

// As many decimals as show three digits of the larger mean, four at most.
int decimals_for(const std::vector<double>& with, const std::vector<double>& without) {
    constexpr int kMost = 4;
    const double larger = std::max(std::abs(mean_and_deviation(with).mean), std::abs(mean_and_deviation(without).mean));
    if (!std::isfinite(larger) || larger == 0) {
        return 0;
    }
    return std::clamp(2 - static_cast<int>(std::floor(std::log10(larger))), 0, kMost);
}

}  // namespace

Network network_of(Recipe recipe, const Material& material) {
    Run run = prepare(std::move(recipe), material.names, material.where);
    Network network{run.recipe.name, run.recipe, run.recipe, std::move(run.train), std::move(run.val)};
    if (network.with.network.norm.place == NormPlace::none) {
        network.with.network.norm.place = NormPlace::before;
    }
    network.without.network.norm.place = NormPlace::none;
    add_biases(network.without);
    return network;
}

const char* words_of(Arm arm) {
    return arm == Arm::with ? "with norm" : "without";
}

const Recipe& recipe_of(const Network& network, Arm arm) {
    return arm == Arm::with ? network.with : network.without;
}

Bench first_network(Bench bench) {
    bench.networks.resize(1);
    return bench;
}

Grid grid_of(const Bench& bench, std::size_t values) {
    return {bench.networks.size(), values, bench.seeds.size()};
}

std::vector<Training> trainings_of(const Bench& bench, std::size_t values,
                                   const std::function<Training(Recipe recipe, std::size_t value)>& make) {
    std::vector<Training> trainings;
    for (const Network& network : bench.networks) {
        for (const Arm arm : kArms) {
            for (std::size_t value = 0; value < values; ++value) {
                for (const std::uint64_t seed : bench.seeds) {
                    Recipe recipe = recipe_of(network, arm);
                    recipe.seed = seed;
                    recipe.steps = bench.steps;
                    trainings.push_back(make(std::move(recipe), value));
                }
            }
        }
    }
    return trainings;
}

Recipe at_rate(Recipe recipe, double rate) {
    recipe.rates = {{0, rate}};
    return recipe;
}

Training for_its_curve(Recipe recipe) {
    recipe.network.norm.evaluation = EvaluationFigures::running;
    Training training{.recipe = std::move(recipe)};
    training.prepare = [](Run& run) {
        run.val.X.resize(run.val.context);
        run.val.Y.resize(1);
    };
    return training;
}

Verdict verdict_of(const std::vector<double>& with, const std::vector<double>& without, Better better) {
    const MeanAndDeviation figures = mean_and_deviation(differences(with, without));
    Verdict verdict{Outcome::undecided, figures.mean, figures.deviation / std::sqrt(static_cast<double>(with.size()))};
    if (with.size() < 2 || !std::isfinite(figures.mean)) {
        return verdict;
    }
    const double gained = better == Better::larger ? verdict.difference : -verdict.difference;
    const double counts = kErrorsThatCount * verdict.error;
    verdict.outcome = gained > counts    ? Outcome::holds
                      : gained < -counts ? Outcome::does_not_hold
                                         : Outcome::no_difference;
    return verdict;
}

std::string words_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::holds:
            return "holds";
        case Outcome::does_not_hold:
            return "does not hold";
        case Outcome::no_difference:
            return "no difference beyond the spread";
        case Outcome::undecided:
            return "undecided";
    }
    return "undecided";
}

std::string brief(Outcome outcome) {
    return outcome == Outcome::no_difference ? "no difference" : words_of(outcome);
}

Table table_of(const std::vector<Claim>& claims) {
    Table table{"",
                {"network",
                 {"claim", "name"},
                 {"measure", "brief"},
                 {words_of(Arm::with), "with"},
                 {words_of(Arm::without), "without"},
                 "difference",
                 "standard error",
                 {"verdict", "outcome"},
                 {"sentence", "claim"},
                 {"in full", "measure"},
                 {"verdict in full", "verdict"}},
                {}};
    for (const Claim& claim : claims) {
        const Verdict verdict = verdict_of(claim.with, claim.without, claim.better);
        const int decimals = decimals_for(claim.with, claim.without);
        const auto figures = [decimals](const std::vector<double>& values) {
            Cell cell = with_spread(values, decimals);
            cell.value["values"] = numbers(values);
            return cell;
        };
        table.rows.push_back({claim.network, claim.name, claim.brief, figures(claim.with), figures(claim.without),
                              fixed(verdict.difference, decimals + 1), fixed(verdict.error, decimals + 1),
                              brief(verdict.outcome), claim.sentence, claim.measure, words_of(verdict.outcome)});
    }
    return table;
}

std::string title_of(const std::string& title, const Network& network) {
    return title + ", " + network.name;
}

}  // namespace byhand::lab
