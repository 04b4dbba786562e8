#include "lab/claims/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "lab/agreement.h"
#include "lab/figures.h"
#include "report/rows.h"

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

// Figure by figure, the values of one unit.
std::vector<double> of_unit(const std::vector<std::vector<double>>& moments, std::size_t unit) {
    return figures_of(moments, [unit](const std::vector<double>& units) { return units[unit]; });
}

// How far from the place of the lowest, on the logarithm of x, y stays within the limit when one goes by `step`.
double reach(const std::vector<double>& x, const std::vector<double>& y, std::size_t lowest, std::ptrdiff_t step,
             double limit) {
    std::size_t at = lowest;
    for (;;) {
        const std::size_t next = at + static_cast<std::size_t>(step);  // past either end it is no index
        if (next >= x.size()) {
            return std::abs(std::log10(x[at] / x[lowest]));
        }
        if (!(y[next] <= limit)) {
            const double part = std::isfinite(y[next]) ? (limit - y[at]) / (y[next] - y[at]) : 0;
            return std::abs(std::log10(x[at] / x[lowest])) + part * std::abs(std::log10(x[next] / x[at]));
        }
        at = next;
    }
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
    training.prepare = [](Run& run) { run.val = run.val.first(1); };
    return training;
}

double final_loss(const Trained& trained) {
    constexpr std::size_t kPart = 5;
    const std::vector<double>& curve = trained.curve;
    if (!trained.finite || curve.empty()) {
        return std::numeric_limits<double>::infinity();
    }
    const std::size_t last = std::max<std::size_t>(1, curve.size() / kPart);
    return std::accumulate(curve.end() - static_cast<std::ptrdiff_t>(last), curve.end(), 0.0) /
           static_cast<double>(last);
}

double steps_or_all(const Trained& trained, double loss, std::size_t all) {
    return static_cast<double>(trained.finite ? steps_to(trained, loss).value_or(all) : all);
}

std::optional<double> largest_below(const std::vector<double>& x, const std::vector<double>& y, double limit) {
    for (std::size_t i = x.size(); i-- > 0;) {
        if (y[i] < limit) {
            return x[i];
        }
    }
    return std::nullopt;
}

double decades_within(const std::vector<double>& x, const std::vector<double>& y, double tolerance) {
    const auto lowest = static_cast<std::size_t>(std::ranges::min_element(y) - y.begin());
    if (!std::isfinite(y[lowest])) {
        return 0;
    }
    const double limit = y[lowest] + tolerance;
    return reach(x, y, lowest, -1, limit) + reach(x, y, lowest, 1, limit);
}

double frequency_loss(const std::vector<std::int64_t>& train, const std::vector<std::int64_t>& characters,
                      std::size_t vocabulary) {
    std::vector<double> counts(vocabulary, 1);
    for (const std::int64_t character : train) {
        ++counts[static_cast<std::size_t>(character)];
    }
    const auto all = static_cast<double>(train.size() + vocabulary);
    double sum = 0;
    for (const std::int64_t character : characters) {
        sum -= std::log(counts[static_cast<std::size_t>(character)] / all);
    }
    return sum / static_cast<double>(characters.size());
}

Wander wander_of(const UnitFigures& figures) {
    Wander wander;
    double spread = 0;
    for (std::size_t unit = 0; unit < figures.means.front().size(); ++unit) {
        const MeanAndDeviation deviations = mean_and_deviation(of_unit(figures.deviations, unit));
        wander.mean += mean_and_deviation(of_unit(figures.means, unit)).deviation;
        wander.deviation += deviations.deviation;
        spread += deviations.mean;
    }
    return {wander.mean / spread, wander.deviation / spread};
}

std::size_t typical_unit(const UnitFigures& figures) {
    std::vector<std::size_t> units(figures.means.front().size());
    std::iota(units.begin(), units.end(), 0);
    std::ranges::sort(units, {},
                      [&](std::size_t unit) { return mean_and_deviation(of_unit(figures.means, unit)).deviation; });
    return units[units.size() / 2];
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
    constexpr std::array kWords = {"holds", "does not hold", "no difference beyond the spread", "undecided"};
    return kWords[static_cast<std::size_t>(outcome)];
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
