// Larger learning rates.
#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>

#include "lab/claims/rate_trials.h"
#include "lab/figures.h"

namespace byhand::lab {
namespace {

constexpr int kLeastPower = -6, kMostPower = 5;

std::vector<double> rates() {
    std::vector<double> all(kMostPower - kLeastPower + 1);
    for (std::size_t i = 0; i < all.size(); ++i) {
        all[i] = std::ldexp(1, kLeastPower + static_cast<int>(i));
    }
    return all;
}

// Below this a training has learned something from the characters before: the validation loss of the letters'
// frequencies alone.
double limit_of(const Network& network) {
    return frequency_loss(network.train.Y, network.val.Y, network.with.network.vocabulary);
}

Row largest_rate(const RateTrials& trials, std::size_t n) {
    const Network& network = trials.bench.networks[n];
    const double limit = limit_of(network);
    Row row{"rates",
            network.name,
            "It allows larger learning rates",
            fmt::format("largest rate that ends below a loss of {:.3f}, that of the letters' frequencies", limit),
            "largest rate",
            Better::larger,
            {},
            {}};
    for (const Arm arm : kArms) {
        for (std::size_t seed = 0; seed < trials.grid.seeds; ++seed) {
            std::vector<double> losses(trials.rates.size());
            for (std::size_t rate = 0; rate < losses.size(); ++rate) {
                losses[rate] = final_loss(trials.trained[trials.grid.index(n, arm, rate, seed)]);
            }
            row.of(arm).push_back(largest_below(trials.rates, losses, limit).value_or(0));
        }
    }
    return row;
}

Table losses_by_rate(const RateTrials& trials, std::size_t n) {
    const Network& network = trials.bench.networks[n];
    Table table{fmt::format("final loss, {}; it trains below {:.3f}", network.name, limit_of(network)),
                {"rate", words_of(Arm::with), words_of(Arm::without)},
                {}};
    for (std::size_t rate = 0; rate < trials.rates.size(); ++rate) {
        table.rows.push_back({significant(trials.rates[rate], 4), with_spread(trials.losses(n, Arm::with, rate), 3),
                              with_spread(trials.losses(n, Arm::without, rate), 3)});
    }
    return table;
}

// Rates that end above the loss of guessing, ln V, are left out: they would hide the others.
Plot plot_by_rate(const RateTrials& trials, std::size_t n) {
    const Network& network = trials.bench.networks[n];
    const double guessing = std::log(static_cast<double>(network.with.network.vocabulary));
    Plot plot{title_of("Final loss by learning rate, where it is below that of guessing", network),
              "learning rate",
              "loss",
              {},
              true};
    for (const Arm arm : kArms) {
        std::vector<double> shown;
        std::vector<std::vector<double>> losses;
        for (std::size_t rate = 0; rate < trials.rates.size(); ++rate) {
            if (trials.mean_loss(n, arm, rate) < guessing) {
                shown.push_back(trials.rates[rate]);
                losses.push_back(trials.losses(n, arm, rate));
            }
        }
        plot.series.push_back(band(words_of(arm), shown, losses));
    }
    return plot;
}

}  // namespace

Section larger_rates(const RateTrials& trials) {
    Section section;
    section.blocks.emplace_back(Text{fmt::format(
        "LARGER RATES. The mean loss of the last fifth of {} steps, by learning rate. A rate still trains where that "
        "loss is finite and below what the letters' frequencies alone come to, without a look at the characters "
        "before. (A network of tanh and softmax hardly ever ends in a loss that is not finite: it saturates.)",
        trials.bench.steps)});
    for (std::size_t n = 0; n < trials.grid.networks; ++n) {
        section.blocks.emplace_back(losses_by_rate(trials, n));
        section.plots.push_back(plot_by_rate(trials, n));
        section.rows.push_back(largest_rate(trials, n));
    }
    return section;
}

Plan plan_rates(const Bench& bench) {
    Plan plan;
    plan.trainings = trainings_of(bench, rates().size(), [](Recipe recipe, std::size_t rate) {
        return for_its_curve(at_rate(std::move(recipe), rates()[rate]));
    });
    plan.tell = [](const Bench& done, std::span<const Trained> trained) {
        const RateTrials trials{done, rates(), grid_of(done, rates().size()), trained};
        std::vector<Section> sections;
        if (done.wanted.contains("faster")) {
            sections.push_back(faster(trials));
        }
        if (done.wanted.contains("rates")) {
            sections.push_back(larger_rates(trials));
        }
        return sections;
    };
    return plan;
}

}  // namespace byhand::lab
