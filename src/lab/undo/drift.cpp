#include "lab/undo/drift.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "base/json.h"
#include "base/member.h"
#include "base/quantile.h"
#include "lab/figures.h"
#include "lab/layer_names.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kShown = 6;  // moments in a table, besides the first

// One of the two pairs: what is learned, and what would undo the norm.
struct Pair {
    const char* name;  // "γ"
    const char* goal;  // "σ"
    const char* key;   // in the JSON
    Member<Moment, std::vector<double>> value;
    Member<Moment, std::vector<double>> target;
};
constexpr Pair kGain = {"γ", "σ", "gain", &Moment::gain, &Moment::deviation};
constexpr Pair kBias = {"β", "μ", "bias", &Moment::bias, &Moment::mean};

std::vector<double> distances(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> all(a.size());
    std::ranges::transform(a, b, all.begin(), [](double x, double y) { return std::abs(x - y); });
    return all;
}

double mean_distance(const std::vector<double>& a, const std::vector<double>& b) {
    return mean_and_deviation(distances(a, b)).mean;
}

// A figure of each training at its m-th moment.
template <class Figure>
std::vector<double> over_seeds(const std::vector<Moments>& trainings, std::size_t m, Figure figure) {
    std::vector<double> all;
    all.reserve(trainings.size());
    for (const Moments& one : trainings) {
        all.push_back(figure(one.front(), one[m]));
    }
    return all;
}

// The figures of a pair at one moment; `begin` is the training's first.
double distance(const Pair& pair, const Moment& now) {
    return mean_distance(now.*pair.value, now.*pair.target);
}
double distance_had_it_stayed(const Pair& pair, const Moment& begin, const Moment& now) {
    return mean_distance(begin.*pair.value, now.*pair.target);
}
double way(const Pair& pair, const Moment& begin, const Moment& now) {
    return share_of_way(begin.*pair.value, now.*pair.value, now.*pair.target);
}

Cell spread_or_dash(const std::vector<double>& values) {
    return std::ranges::all_of(values, [](double value) { return std::isfinite(value); }) ? with_spread(values, 3)
                                                                                          : Cell("–");
}

Table pair_table(const Pair& pair, const std::vector<Moments>& trainings) {
    Table table{fmt::format("{} and {}: mean over the units, mean ± deviation over {} seed{}", pair.name, pair.goal,
                            trainings.size(), trainings.size() == 1 ? "" : "s"),
                {"step", fmt::format("|{} − {}|", pair.name, pair.goal), fmt::format("had {} stayed", pair.name),
                 "share of the way", "correlation"},
                {}};
    const std::size_t last = trainings.front().size() - 1, rows = std::min(last, kShown);
    for (std::size_t r = 0; r <= rows; ++r) {
        const std::size_t m = rows == 0 ? 0 : r * last / rows;
        const auto row = [&](auto figure) { return spread_or_dash(over_seeds(trainings, m, figure)); };
        table.rows.push_back(
            {whole(trainings.front()[m].step),
             row([&](const Moment&, const Moment& now) { return distance(pair, now); }),
             row([&](const Moment& begin, const Moment& now) { return distance_had_it_stayed(pair, begin, now); }),
             row([&](const Moment& begin, const Moment& now) { return way(pair, begin, now); }),
             row([&](const Moment&, const Moment& now) { return correlation(now.*pair.value, now.*pair.target); })});
    }
    return table;
}

// How the units of one training spread.
Table units_table(const Pair& pair, const Moments& moments) {
    Table table{fmt::format("|{} − {}| of the {} units, first seed", pair.name, pair.goal,
                            (moments.front().*pair.value).size()),
                {"step", "least", "a quarter below", "median", "three quarters", "most"},
                {}};
    for (const Moment* moment : {&moments.front(), &moments[moments.size() / 2], &moments.back()}) {
        const std::vector<double> all = distances(moment->*pair.value, moment->*pair.target);
        std::vector<Cell>& row = table.rows.emplace_back();
        row.push_back(whole(moment->step));
        for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
            row.push_back(fixed(quantile(all, share), 3));
        }
    }
    return table;
}

template <class Figure>
Series curve(const std::string& name, const std::vector<Moments>& trainings, Figure figure) {
    Series series{name, {}, {}, {}, {}, Style::line};
    for (std::size_t m = 0; m < trainings.front().size(); ++m) {
        const MeanAndDeviation of = mean_and_deviation(over_seeds(trainings, m, figure));
        series.x.push_back(static_cast<double>(trainings.front()[m].step));
        series.y.push_back(of.mean);
        series.low.push_back(of.mean - of.deviation);
        series.high.push_back(of.mean + of.deviation);
    }
    return series;
}

void plot(Document& document, const Pair& pair, const std::vector<Moments>& trainings) {
    document.plots.push_back(
        {fmt::format("How far {} is from {}, mean over the units", pair.name, pair.goal),
         "step",
         "",
         {curve(fmt::format("|{} − {}|", pair.name, pair.goal), trainings,
                [&](const Moment&, const Moment& now) { return distance(pair, now); }),
          curve(fmt::format("had {} stayed", pair.name), trainings,
                [&](const Moment& begin, const Moment& now) { return distance_had_it_stayed(pair, begin, now); })},
         false,
         false,
         false});
    const Moment& end = trainings.front().back();
    const auto [least, most] = std::ranges::minmax(end.*pair.target);
    document.plots.push_back(
        {fmt::format("{} against {}, a point for each unit at the end of the first seed", pair.name, pair.goal),
         pair.goal,
         pair.name,
         {{"units", end.*pair.target, end.*pair.value, {}, {}, Style::points},
          {fmt::format("{} = {}", pair.name, pair.goal), {least, most}, {least, most}, {}, {}, {}}},
         false,
         false,
         false});
}

Json json_of(const Pair& pair, const std::vector<Moments>& trainings) {
    Json all = Json::array();
    for (const Moments& moments : trainings) {
        Json one = Json::array();
        for (const Moment& now : moments) {
            one.push_back({{"step", now.step},
                           {"distance", distance(pair, now)},
                           {"had_it_stayed", distance_had_it_stayed(pair, moments.front(), now)},
                           {"way", number(way(pair, moments.front(), now))},
                           {"correlation", number(correlation(now.*pair.value, now.*pair.target))},
                           {"units", distances(now.*pair.value, now.*pair.target)}});
        }
        all.push_back(std::move(one));
    }
    return all;
}

// Where it went, by how far it goes on each seed beside how much that varies.
std::string verdict(const Pair& pair, const std::vector<Moments>& trainings) {
    const std::size_t last = trainings.front().size() - 1;
    const MeanAndDeviation of_way = mean_and_deviation(
        over_seeds(trainings, last, [&](const Moment& begin, const Moment& now) { return way(pair, begin, now); }));
    const auto mean = [&](std::size_t m, auto figure) {
        return mean_and_deviation(over_seeds(trainings, m, figure)).mean;
    };
    const double from = mean(0, [&](const Moment&, const Moment& now) { return distance(pair, now); });
    const double to = mean(last, [&](const Moment&, const Moment& now) { return distance(pair, now); });
    const double stayed =
        mean(last, [&](const Moment& begin, const Moment& now) { return distance_had_it_stayed(pair, begin, now); });
    constexpr double kThere = 0.1, kHardly = 0.01, kClear = 2;  // of the distance; of the way; standard deviations
    const char* goes = to <= kThere * stayed                      ? "gets to"
                       : std::abs(of_way.mean) < kHardly          ? "goes neither towards nor away from"
                       : of_way.mean > kClear * of_way.deviation  ? "goes towards, but does not reach,"
                       : -of_way.mean > kClear * of_way.deviation ? "goes away from"
                                                                  : "goes neither towards nor away from";
    const MeanAndDeviation alike =
        mean_and_deviation(over_seeds(trainings, last, [&](const Moment&, const Moment& now) {
            return correlation(now.*pair.value, now.*pair.target);
        }));
    return fmt::format(
        "{} {} {}: {:.1f} ± {:.1f} % of the way after {} steps. The mean distance goes from {:.3f} to {:.3f}; had {} "
        "stayed where it began it would be {:.3f}, as {} moves too. Over the units, {} and {} correlate by {:.2f} ± "
        "{:.2f}.{}",
        pair.name, goes, pair.goal, 100 * of_way.mean, 100 * of_way.deviation, trainings.front().back().step, from, to,
        pair.name, stayed, pair.goal, pair.name, pair.goal, alike.mean, alike.deviation,
        trainings.size() == 1 ? " (One seed shows no spread.)" : "");
}

}  // namespace

Moment moment_of(std::size_t step, const Tensors<float>& state, const NetworkConfig& network, const Examples& examples,
                 std::size_t rows) {
    Runner<float> runner(stepwise_graph(network, rows));
    copy_into(runner.tensors(), state);
    runner.set_batch({rows, examples.X.data(), nullptr});
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
        for (double& value : values) {
            value -= mean;
        }
        return values;
    };
    const auto varies = [](const std::vector<double>& values) {
        const auto [least, most] = std::ranges::minmax(values);
        return least < most;
    };
    return varies(a) && varies(b) ? cosine(centred(a), centred(b)) : std::numeric_limits<double>::quiet_NaN();
}

void tell_drift(Document& document, const std::vector<Moments>& trainings) {
    for (const Pair& pair : {kGain, kBias}) {
        document.blocks.emplace_back(pair_table(pair, trainings));
        document.blocks.emplace_back(units_table(pair, trainings.front()));
        document.blocks.emplace_back(Text{verdict(pair, trainings)});
        document.data["drift"][pair.key] = json_of(pair, trainings);
        plot(document, pair, trainings);
    }
}

}  // namespace byhand::lab
