// Where γ and β go in training, beside σ and μ of their units.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>

#include "base/member.h"
#include "base/quantile.h"
#include "lab/figures.h"
#include "lab/layer_names.h"
#include "lab/undo/undo.h"
#include "manual/stepwise.h"
#include "report/rows.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

// What is learned, and what would undo the norm.
struct Pair {
    const char* name;  // "γ"
    const char* goal;  // "σ"
    const char* key;   // in the JSON
    Member<Moment, std::vector<double>> value, target;
};
constexpr Pair kGain = {"γ", "σ", "gain", &Moment::gain, &Moment::deviation};
constexpr Pair kBias = {"β", "μ", "bias", &Moment::bias, &Moment::mean};

std::vector<double> distances(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> all(a.size());
    std::ranges::transform(a, b, all.begin(), [](double x, double y) { return std::abs(x - y); });
    return all;
}

// Of a pair at one moment; `begin` is the training's first.
enum Figure { distance, had_it_stayed, way, correlated };
constexpr std::array kKeys = {"distance", "had_it_stayed", "way", "correlation"};
std::array<double, kKeys.size()> figures(const Pair& pair, const Moment& begin, const Moment& now) {
    const std::vector<double>&first = begin.*pair.value, &value = now.*pair.value, &target = now.*pair.target;
    return {mean_and_deviation(distances(value, target)).mean, mean_and_deviation(distances(first, target)).mean,
            share_of_way(first, value, target), correlation(value, target)};
}

// One figure of every training at its m-th moment.
std::vector<double> over_seeds(const Pair& pair, const std::vector<Moments>& trainings, std::size_t m, Figure figure) {
    std::vector<double> all(trainings.size());
    std::ranges::transform(trainings, all.begin(),
                           [&](const Moments& one) { return figures(pair, one.front(), one[m])[figure]; });
    return all;
}

// A row for each moment.
Table table_of(const Pair& pair, const std::vector<Moments>& trainings) {
    Table table{fmt::format("{} and {}: mean over the units, mean ± deviation over {} seed{}", pair.name, pair.goal,
                            trainings.size(), trainings.size() == 1 ? "" : "s"),
                {"step",
                 {fmt::format("|{} − {}|", pair.name, pair.goal), kKeys[distance]},
                 {fmt::format("had {} stayed", pair.name), kKeys[had_it_stayed]},
                 {"share of the way", kKeys[way]},
                 {"correlation", kKeys[correlated]}},
                {}};
    for (std::size_t m = 0; m < trainings.front().size(); ++m) {
        std::vector<Cell>& row = table.rows.emplace_back(1, whole(trainings.front()[m].step));
        for (const Figure figure : {distance, had_it_stayed, way, correlated}) {
            const std::vector<double> values = over_seeds(pair, trainings, m, figure);
            const bool finite = std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
            row.push_back(finite ? with_spread(values, 3) : Cell("–"));
        }
    }
    return table;
}

// Every so many rows, the first and the last among them.
Table shortened(Table table) {
    constexpr std::size_t kShown = 6;  // besides the first
    const std::size_t last = table.rows.size() - 1, shown = std::min(last, kShown);
    for (std::size_t i = 1; i <= shown; ++i) {
        table.rows[i] = table.rows[i * last / shown];
    }
    table.rows.resize(shown + 1);
    return table;
}

// How the units of one training spread.
Table units_table(const Pair& pair, const Moments& moments) {
    Table table{fmt::format("|{} − {}| of the {} units, first seed", pair.name, pair.goal,
                            (moments.front().*pair.value).size()),
                {"step", "least", "a quarter below", "median", "three quarters", "most"},
                {}};
    for (const Moment* moment : {&moments.front(), &moments[moments.size() / 2], &moments.back()}) {
        std::vector<Cell>& row = table.rows.emplace_back(1, whole(moment->step));
        for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
            row.push_back(fixed(quantile(distances(moment->*pair.value, moment->*pair.target), share), 3));
        }
    }
    return table;
}

void add_plots(Document& document, const Pair& pair, const Table& table, const Moment& end) {
    const std::vector<double>&value = end.*pair.value, &target = end.*pair.target;
    const auto [least, most] = std::ranges::minmax(target);
    document.plots.push_back({.title = fmt::format("How far {} is from {}, mean over the units", pair.name, pair.goal),
                              .x_label = "step",
                              .y_label = "",
                              .series = {series_of(table, "step", kKeys[distance], table.columns[1].title),
                                         series_of(table, "step", kKeys[had_it_stayed], table.columns[2].title)}});
    document.plots.push_back(
        {.title =
             fmt::format("{} against {}, a point for each unit at the end of the first seed", pair.name, pair.goal),
         .x_label = pair.goal,
         .y_label = pair.name,
         .series = {{"units", target, value, {}, {}, Style::points},
                    {fmt::format("{} = {}", pair.name, pair.goal), {least, most}, {least, most}, {}, {}, {}}}});
}

Json json_of(const Pair& pair, const std::vector<Moments>& trainings) {
    Json all = Json::array();
    for (const Moments& moments : trainings) {
        Json one = Json::array();
        for (const Moment& now : moments) {
            Json moment = {{"step", now.step}, {"units", distances(now.*pair.value, now.*pair.target)}};
            const auto found = figures(pair, moments.front(), now);
            for (std::size_t i = 0; i < found.size(); ++i) {
                moment[kKeys[i]] = number(found[i]);
            }
            one.push_back(std::move(moment));
        }
        all.push_back(std::move(one));
    }
    return all;
}

// How far it goes on each seed, compared with how much that varies.
const char* direction(const MeanAndDeviation& of_way, double distance, double distance_had_it_stayed) {
    constexpr double kThere = 0.1, kHardly = 0.01, kClear = 2;  // of the distance; of the way; standard deviations
    const bool is_clear = std::abs(of_way.mean) >= kHardly && std::abs(of_way.mean) > kClear * of_way.deviation;
    return distance <= kThere * distance_had_it_stayed ? "reaches"
           : !is_clear                                 ? "moves neither towards nor away from"
           : of_way.mean > 0                           ? "moves towards, but does not reach,"
                                                       : "moves away from";
}

std::string verdict(const Pair& pair, const std::vector<Moments>& trainings) {
    const std::size_t last = trainings.front().size() - 1;
    const auto of = [&](Figure figure, std::size_t m) {
        return mean_and_deviation(over_seeds(pair, trainings, m, figure));
    };
    const MeanAndDeviation of_way = of(way, last), alike = of(correlated, last);
    const double to = of(distance, last).mean, stayed = of(had_it_stayed, last).mean;
    return fmt::format(
        "{0} {2} {1}: {3:.1f} ± {4:.1f} % of the way after {5} steps. The mean distance changes from {6:.3f} to "
        "{7:.3f}; with {0} left where it began it would be {8:.3f}, as {1} moves too. Over the units, {0} and {1} "
        "correlate by {9:.2f} ± {10:.2f}.{11}",
        pair.name, pair.goal, direction(of_way, to, stayed), 100 * of_way.mean, 100 * of_way.deviation,
        trainings.front().back().step, of(distance, 0).mean, to, stayed, alike.mean, alike.deviation,
        trainings.size() == 1 ? " (One seed shows no spread.)" : "");
}

}  // namespace

Moment moment_of(std::size_t step, const Tensors<float>& state, const NetworkConfig& network, const Examples& examples,
                 std::size_t rows) {
    Runner<float> runner(stepwise_graph(network, rows));
    copy_into(runner.tensors(), state);
    const ExampleRows first = examples.rows(0, rows);
    runner.set_batch(first.view());
    const std::vector<Layer> layers = layers_with_norm(network);
    runner.forward_to(layers.back().value("bnvar_inv"));
    Moment moment{step, {}, {}, {}, {}};
    for (const Layer& layer : layers) {
        const auto append = [&](std::vector<double>& to, const char* name) {
            const std::span<const float> values = runner.tensors()[layer.value(name)];
            to.insert(to.end(), values.begin(), values.end());
        };
        append(moment.gain, "bngain");
        append(moment.bias, "bnbias");
        append(moment.mean, "bnmeani");
        append(moment.deviation, "bnvar_inv");
    }
    std::ranges::transform(moment.deviation, moment.deviation.begin(), [](double inverse) { return 1 / inverse; });
    return moment;
}

double share_of_way(const std::vector<double>& begin, const std::vector<double>& now, const std::vector<double>& goal) {
    double gone = 0, whole_way = 0;
    for (std::size_t j = 0; j < begin.size(); ++j) {
        gone += (now[j] - begin[j]) * (goal[j] - begin[j]);
        whole_way += (goal[j] - begin[j]) * (goal[j] - begin[j]);
    }
    return gone / whole_way;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    const auto centred = [](std::vector<double> values) {
        const double mean = mean_and_deviation(values).mean;
        std::ranges::transform(values, values.begin(), [mean](double value) { return value - mean; });
        return values;
    };
    const auto varies = [](const std::vector<double>& values) {
        const auto [least, most] = std::ranges::minmax(values);
        return least < most;
    };
    return varies(a) && varies(b) ? cosine(centred(a), centred(b)) : std::numeric_limits<double>::quiet_NaN();
}

void add_drift(Document& document, const std::vector<Moments>& trainings) {
    for (const Pair& pair : {kGain, kBias}) {
        const Table table = table_of(pair, trainings);
        document.blocks.emplace_back(shortened(table));
        document.blocks.emplace_back(units_table(pair, trainings.front()));
        document.blocks.emplace_back(Text{verdict(pair, trainings)});
        document.data["drift"][pair.key] = json_of(pair, trainings);
        add_plots(document, pair, table, trainings.front().back());
    }
}

}  // namespace byhand::lab
