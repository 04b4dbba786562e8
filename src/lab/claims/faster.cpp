// Faster.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "lab/claims/rate_trials.h"
#include "lab/figures.h"
#include "manual/models.h"
#include "train/losses.h"

namespace byhand::lab {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// One form at the rate at which it gets to the loss in the fewest steps, by the mean of the seeds.
struct Fastest {
    std::size_t rate = 0;
    std::vector<double> steps;
};

Fastest fastest(const RateTrials& trials, std::size_t network, Arm arm, double loss) {
    Fastest best;
    double fewest = kInfinity;
    for (std::size_t rate = 0; rate < trials.rates.size(); ++rate) {
        std::vector<double> steps = trials.grid.over_seeds(network, arm, rate, [&](std::size_t i) {
            return steps_or_all(trials.trained[i], loss, trials.bench.steps);
        });
        const double mean = mean_and_deviation(steps).mean;
        if (mean < fewest) {
            fewest = mean;
            best = {rate, std::move(steps)};
        }
    }
    return best;
}

// Both forms get there: the final loss that the worse of the two has at its best rate.
double common_loss(const RateTrials& trials, std::size_t network) {
    double worse = -kInfinity;
    for (const Arm arm : kArms) {
        double best = kInfinity;
        for (std::size_t rate = 0; rate < trials.rates.size(); ++rate) {
            best = std::min(best, trials.mean_loss(network, arm, rate));
        }
        worse = std::max(worse, best);
    }
    return worse;
}

Examples first_of(Examples examples) {
    constexpr std::size_t kMost = 8000;
    examples.Y.resize(std::min(kMost, examples.size()));
    examples.X.resize(examples.Y.size() * examples.context);
    return examples;
}

// In evaluation mode, by the figures of the training part.
double validation_loss(const Network& network, Arm arm, const Trained& trained) {
    const Recipe& recipe = recipe_of(network, arm);
    const std::unique_ptr<Model> model = make_hand_model(HandForm::fused, recipe.network, recipe.batch);
    model->load(trained.state);
    model->calibrate(first_of(network.train).X);
    return mean_loss(*model, first_of(network.val), recipe.network.vocabulary);
}

// The minibatch loss over the steps.
Series curve_of(const RateTrials& trials, std::size_t network, Arm arm, std::size_t rate) {
    const auto at = [&](std::size_t seed) -> const Trained& {
        return trials.trained[trials.grid.index(network, arm, rate, seed)];
    };
    const std::vector<double> x = curve_steps(at(0));
    std::vector<std::vector<double>> y(x.size());
    for (std::size_t seed = 0; seed < trials.grid.seeds; ++seed) {
        for (std::size_t i = 0; i < y.size(); ++i) {
            const std::vector<double>& curve = at(seed).curve;
            y[i].push_back(i < curve.size() ? curve[i] : kInfinity);
        }
    }
    Series series = band(fmt::format("{}, rate {:.4g}", words_of(arm), trials.rates[rate]), x, y);
    series.style = Style::line;
    return series;
}

// Each form at its best rate for it, to losses that are reached sooner.
Table to_other_losses(const RateTrials& trials) {
    constexpr std::array kAbove = {0.05, 0.1, 0.2};  // nats
    Table table{"steps to higher losses, each form at its best rate for each",
                {"", "to a loss of", words_of(Arm::with), words_of(Arm::without), "verdict"},
                {}};
    for (std::size_t n = 0; n < trials.grid.networks; ++n) {
        for (const double above : kAbove) {
            const double loss = common_loss(trials, n) + above;
            const std::vector<double> with = fastest(trials, n, Arm::with, loss).steps,
                                      without = fastest(trials, n, Arm::without, loss).steps;
            table.rows.push_back({trials.bench.networks[n].name, fixed(loss, 3), with_spread(with, 0),
                                  with_spread(without, 0), brief(verdict_of(with, without, Better::smaller).outcome)});
        }
    }
    return table;
}

}  // namespace

Section faster(const RateTrials& trials) {
    Section section;
    section.blocks.emplace_back(Text{
        "FASTER. A training has got there when the mean loss of 100 minibatches is as low as what the worse of the two "
        "forms ends with at its best rate (the mean of the last fifth of the steps); each form takes the rate at which "
        "it is there first, out of powers of 2. Both see the same minibatches. With the norm a minibatch's loss has "
        "the noise of that minibatch's own mean and deviation in it, so the last column gives the validation loss at "
        "the end, by the figures of the training part."});
    Table table{"", {"", "to a loss of", "", "rate", "steps", "validation"}, {}};
    for (std::size_t n = 0; n < trials.grid.networks; ++n) {
        const Network& network = trials.bench.networks[n];
        const double loss = common_loss(trials, n);
        Row row{"faster",
                network.name,
                "Training is faster with it",
                fmt::format("steps to a loss of {:.3f}, each form at its best rate", loss),
                "steps to loss",
                Better::smaller,
                {},
                {}};
        Plot plot{title_of("Loss of the minibatches at each one's best rate", network), "step", "loss", {}};
        std::array<std::vector<double>, kArms.size()> validations;
        for (const Arm arm : kArms) {
            const Fastest best = fastest(trials, n, arm, loss);
            row.of(arm) = best.steps;
            std::vector<double>& validation = validations[static_cast<std::size_t>(arm)];
            validation = trials.grid.over_seeds(
                n, arm, best.rate, [&](std::size_t i) { return validation_loss(network, arm, trials.trained[i]); });
            table.rows.push_back({network.name, fixed(loss, 3), words_of(arm), significant(trials.rates[best.rate], 4),
                                  with_spread(best.steps, 0), with_spread(validation, 3)});
            plot.series.push_back(curve_of(trials, n, arm, best.rate));
        }
        const Verdict verdict = verdict_of(validations[0], validations[1], Better::smaller);
        section.conclusion.emplace_back(Text{fmt::format(
            "At these rates the validation loss on {} ends {:+.3f} nats from the other with the norm, standard error "
            "{:.3f}. That it is lower: {}.",
            network.name, verdict.difference, verdict.error, words_of(verdict.outcome))});
        section.plots.push_back(std::move(plot));
        section.rows.push_back(std::move(row));
    }
    section.blocks.emplace_back(std::move(table));
    section.blocks.emplace_back(to_other_losses(trials));
    return section;
}

}  // namespace byhand::lab
