// The claims that go by the losses of trainings: faster, larger rates, initial weights, regularised.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "base/member.h"
#include "fast/models.h"
#include "lab/claims/bench.h"
#include "lab/figures.h"
#include "report/rows.h"
#include "train/losses.h"

namespace byhand::lab {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Trainings over rates, factors or batch sizes, once they are done.
struct Trials {
    const Bench& bench;
    std::vector<double> values;
    std::span<const Trained> trained;
    Grid grid = grid_of(bench, values.size());

    std::span<const Trained> seeds(std::size_t network, Arm arm, std::size_t value) const {
        return grid.of(trained, network, arm, value);
    }
};

double mean_loss(const Trials& trials, std::size_t network, Arm arm, std::size_t value) {
    return mean_and_deviation(figures_of(trials.seeds(network, arm, value), final_loss)).mean;
}

// A row a value, both forms beside each other.
template <class Measure>
Table table_by_value(const Trials& trials, std::size_t network, const std::string& title, const char* value,
                     Measure measure) {
    Table table{title, {{value, "value"}, {words_of(Arm::with), "with"}, {words_of(Arm::without), "without"}}, {}};
    for (std::size_t v = 0; v < trials.values.size(); ++v) {
        table.rows.push_back({significant(trials.values[v], 4),
                              with_spread(figures_of(trials.seeds(network, Arm::with, v), measure), 3),
                              with_spread(figures_of(trials.seeds(network, Arm::without, v), measure), 3)});
    }
    return table;
}

// Of such a table; the values are on a logarithmic axis.
Plot plot_of(const Table& table, const std::string& title, const char* x_label, const char* y_label) {
    return {title,
            x_label,
            y_label,
            {series_of(table, "value", "with", words_of(Arm::with), Style::both),
             series_of(table, "value", "without", words_of(Arm::without), Style::both)},
            true};
}

// ---- faster ----

// One form at the rate at which it gets to the loss in the fewest steps, by the mean of the seeds.
struct Fastest {
    std::size_t rate = 0;
    std::vector<double> steps;
};

Fastest fastest(const Trials& trials, std::size_t network, Arm arm, double loss) {
    Fastest best;
    double fewest = kInfinity;
    for (std::size_t rate = 0; rate < trials.values.size(); ++rate) {
        std::vector<double> steps = figures_of(trials.seeds(network, arm, rate), [&](const Trained& trained) {
            return steps_or_all(trained, loss, trials.bench.steps);
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
double common_loss(const Trials& trials, std::size_t network) {
    double worse = -kInfinity;
    for (const Arm arm : kArms) {
        double best = kInfinity;
        for (std::size_t rate = 0; rate < trials.values.size(); ++rate) {
            best = std::min(best, mean_loss(trials, network, arm, rate));
        }
        worse = std::max(worse, best);
    }
    return worse;
}

constexpr std::size_t kMostEvaluated = 8000;

// In evaluation mode, by the statistics of the training part.
double validation_loss(const Network& network, Arm arm, const Trained& trained) {
    const Recipe& recipe = recipe_of(network, arm);
    const std::unique_ptr<Model> model = make_hand_model(HandForm::fused, recipe.network, recipe.batch);
    model->load(trained.state);
    model->calibrate(network.train.first(kMostEvaluated).all().X);
    return mean_loss(*model, network.val.first(kMostEvaluated), recipe.network.vocabulary);
}

// The minibatch loss over the steps.
Series loss_curve(const std::string& name, std::span<const Trained> seeds) {
    const std::vector<double> x = curve_steps(seeds.front());
    std::vector<std::vector<double>> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        y[i] = figures_of(
            seeds, [i](const Trained& trained) { return i < trained.curve.size() ? trained.curve[i] : kInfinity; });
    }
    Series series = band(name, x, y);
    series.style = Style::line;
    return series;
}

// Each form at its best rate for it, to losses that are reached sooner.
Table to_other_losses(const Trials& trials) {
    Table table{"steps to higher losses, each form at its best rate for each",
                {"", "to a loss of", words_of(Arm::with), words_of(Arm::without), "verdict"},
                {}};
    for (std::size_t n = 0; n < trials.grid.networks; ++n) {
        for (const double above : {0.05, 0.1, 0.2}) {  // nats
            const double loss = common_loss(trials, n) + above;
            const std::vector<double> with = fastest(trials, n, Arm::with, loss).steps,
                                      without = fastest(trials, n, Arm::without, loss).steps;
            table.rows.push_back({trials.bench.networks[n].name, fixed(loss, 3), with_spread(with, 0),
                                  with_spread(without, 0), brief(verdict_of(with, without, Better::smaller).outcome)});
        }
    }
    return table;
}

Section faster(const Trials& trials) {
    Section section;
    Table table{"", {"", "to a loss of", "", "rate", "steps", "validation"}, {}};
    for (std::size_t n = 0; n < trials.grid.networks; ++n) {
        const Network& network = trials.bench.networks[n];
        const double loss = common_loss(trials, n);
        Claim claim{"faster", network.name, "Training is faster with it",
                    fmt::format("steps to a loss of {:.3f}, each form at its best rate", loss), "steps to loss"};
        Claim lower{"faster", network.name, "The validation loss is lower with it",
                    "validation loss at the end, each form at this rate", "validation"};
        Plot plot{title_of("Loss of the minibatches at each one's best rate", network), "step", "loss", {}};
        for (const Arm arm : kArms) {
            const Fastest best = fastest(trials, n, arm, loss);
            const std::span<const Trained> seeds = trials.seeds(n, arm, best.rate);
            claim.of(arm) = best.steps;
            lower.of(arm) =
                figures_of(seeds, [&](const Trained& trained) { return validation_loss(network, arm, trained); });
            table.rows.push_back({network.name, fixed(loss, 3), words_of(arm), significant(trials.values[best.rate], 4),
                                  with_spread(best.steps, 0), with_spread(lower.of(arm), 3)});
            plot.series.push_back(
                loss_curve(fmt::format("{}, rate {:.4g}", words_of(arm), trials.values[best.rate]), seeds));
        }
        section.plots.push_back(std::move(plot));
        section.claims.push_back(std::move(claim));
        section.further.push_back(std::move(lower));
    }
    section.blocks = {
        Text{"FASTER. A training has got there when the mean loss of 100 minibatches is as low as what the worse of "
             "the two forms ends with at its best rate (the mean of the last fifth of the steps); each form takes the "
             "rate at which it is there first, out of powers of 2. Both see the same minibatches. With the norm a "
             "minibatch's loss has the noise of that minibatch's own mean and deviation in it, so the last column "
             "gives the validation loss at the end, by the statistics of the training part."},
        std::move(table), to_other_losses(trials)};
    return section;
}

// ---- larger rates ----

std::vector<double> rates() {
    constexpr int kLeastPower = -6, kMostPower = 5;
    std::vector<double> all;
    all.reserve(kMostPower - kLeastPower + 1);
    for (int power = kLeastPower; power <= kMostPower; ++power) {
        all.push_back(std::ldexp(1, power));
    }
    return all;
}

// Points at a loss of this or more would hide the others.
void keep_below(Series& series, double loss) {
    Series kept{series.name, {}, {}, {}, {}, series.style};
    for (std::size_t i = 0; i < series.x.size(); ++i) {
        if (series.y[i] < loss) {
            kept.x.push_back(series.x[i]);
            kept.y.push_back(series.y[i]);
            kept.low.push_back(series.low[i]);
            kept.high.push_back(series.high[i]);
        }
    }
    series = std::move(kept);
}

// A claim by measure(values, final losses over the values) of each seed; the losses by value are a table and a plot.
template <class Measure>
void add_claim(Section& section, const Trials& trials, std::size_t n, Claim claim, Measure measure, Table table,
               Plot plot) {
    for (const Arm arm : kArms) {
        for (std::size_t seed = 0; seed < trials.grid.seeds; ++seed) {
            std::vector<double> losses(trials.values.size());
            for (std::size_t value = 0; value < losses.size(); ++value) {
                losses[value] = final_loss(trials.seeds(n, arm, value)[seed]);
            }
            claim.of(arm).push_back(measure(trials.values, losses));
        }
    }
    section.blocks.emplace_back(std::move(table));
    section.plots.push_back(std::move(plot));
    section.claims.push_back(std::move(claim));
}

Section larger_rates(const Trials& trials) {
    Section section;
    section.blocks.emplace_back(Text{fmt::format(
        "LARGER RATES. The mean loss of the last fifth of {} steps, by learning rate. A rate still trains where that "
        "loss is finite and below the validation loss of a model that knows only the letters' frequencies. "
        "(A network of tanh and softmax hardly ever ends in a loss that is not finite: it saturates.)",
        trials.bench.steps)});
    for (std::size_t n = 0; n < trials.grid.networks; ++n) {
        const Network& network = trials.bench.networks[n];
        const std::size_t V = network.with.network.vocabulary;
        const double limit = frequency_loss(network.train.all().Y, network.val.all().Y, V);
        const std::string measure =
            fmt::format("largest rate that ends below a loss of {:.3f}, that of the letters' frequencies", limit);
        const std::string title = fmt::format("final loss, {}; it trains below {:.3f}", network.name, limit);
        const Table table = table_by_value(trials, n, title, "rate", final_loss);
        Plot plot = plot_of(table, title_of("Final loss by learning rate, where it is below that of guessing", network),
                            "learning rate", "loss");
        for (Series& series : plot.series) {
            keep_below(series, std::log(static_cast<double>(V)));
        }
        add_claim(
            section, trials, n,
            {"rates", network.name, "It allows larger learning rates", measure, "largest rate", Better::larger},
            [limit](const auto& rates, const auto& losses) { return largest_below(rates, losses, limit).value_or(0); },
            table, std::move(plot));
    }
    return section;
}

// ---- initial weights ----

const std::vector<double> kFactors = {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};
constexpr double kTolerance = 0.05;  // nats

// With every hidden weight at so many times what the recipe draws.
Training scaled(Recipe recipe, double factor) {
    Training training = for_its_curve(std::move(recipe));
    training.prepare = [evaluate_little = training.prepare, factor](Run& run) {
        evaluate_little(run);
        for (const Layer& layer : layers(run.recipe.network)) {
            for (float& weight : layer.is_output ? std::span<float>() : run.initial[layer.W()]) {
                weight *= static_cast<float>(factor);
            }
        }
    };
    return training;
}

Section initial_weights(const Trials& trials) {
    Section section;
    section.blocks.emplace_back(Text{fmt::format(
        "INITIAL WEIGHTS. Every hidden weight begins at so many times what the recipe draws, at the recipe's learning "
        "rate; the mean loss of the last fifth of {} steps. The measure: over how many decades of the factor the "
        "loss stays within {} nats of that form's best.",
        trials.bench.steps, kTolerance)});
    const std::string measure = fmt::format("decades of the factor within {} nats of the best", kTolerance);
    for (std::size_t n = 0; n < trials.grid.networks; ++n) {
        const Network& network = trials.bench.networks[n];
        const Table table = table_by_value(trials, n, title_of("final loss", network), "factor", final_loss);
        add_claim(
            section, trials, n,
            {"weights", network.name, "It depends less on the initial weights", measure, "decades", Better::larger},
            [](const auto& factors, const auto& losses) { return decades_within(factors, losses, kTolerance); }, table,
            plot_of(table, title_of("Final loss by the scale of the initial weights", network), "factor", "loss"));
    }
    return section;
}

// ---- regularised ----

const std::vector<double> kBatches = {4, 8, 32, 128};

// A network that can learn its names by heart a little: wider, and a twentieth of the names to train on.
constexpr std::size_t kWiderEmbedding = 5, kWiderHidden = 2;
constexpr double kTrainingPart = 0.05, kValidationPart = 0.2;
// Every batch size sees as many examples: so many a step of the other trainings.
constexpr std::size_t kExamplesPerStep = 64;

Recipe overfitting(Recipe recipe, std::size_t batch) {
    recipe.network.embedding *= kWiderEmbedding;
    for (std::size_t& width : recipe.network.hidden) {
        width *= kWiderHidden;
    }
    recipe.first_cut = kTrainingPart;
    recipe.second_cut = kTrainingPart + kValidationPart;
    recipe.network.norm.evaluation = EvaluationFigures::training_set;
    recipe.steps = recipe.steps * kExamplesPerStep / batch;
    recipe.batch = batch;
    const double rate = rate_at(recipe, 0);
    return at_rate(std::move(recipe), rate);
}

Section regularised(const Trials& trials) {
    const Network& network = trials.bench.networks.front();
    const auto gap = [](const Trained& one) { return one.val - one.train; };
    const Member<Trained, double> train = &Trained::train, val = &Trained::val;
    Table gaps = table_by_value(trials, 0, "validation minus training loss", "batch", gap);
    Plot plot = plot_of(gaps, "Validation minus training loss", "batch size", "nats");
    Table parts{"the two losses", {"batch", "training: with", "without", "validation: with", "without"}, {}};
    gaps.columns.emplace_back("verdict");
    for (std::size_t b = 0; b < kBatches.size(); ++b) {
        const auto of = [&](Arm arm, auto measure) { return figures_of(trials.seeds(0, arm, b), measure); };
        const Verdict verdict = verdict_of(of(Arm::with, gap), of(Arm::without, gap), Better::smaller);
        gaps.rows[b].emplace_back(brief(verdict.outcome));
        parts.rows.push_back({significant(kBatches[b], 4), with_spread(of(Arm::with, train), 3),
                              with_spread(of(Arm::without, train), 3), with_spread(of(Arm::with, val), 3),
                              with_spread(of(Arm::without, val), 3)});
    }
    Claim smaller_gap{"regularised", network.name, "It regularises slightly",
                      "validation minus training loss, mean of the batch sizes", "val − train"};
    Claim smaller_loss{"regularised", network.name, "It regularises slightly",
                       "validation loss, mean of the batch sizes", "val loss"};
    for (const Arm arm : kArms) {
        const auto mean_over_batches = [&](auto measure) {
            std::vector<double> means(trials.grid.seeds);
            for (std::size_t b = 0; b < kBatches.size(); ++b) {
                const std::vector<double> figures = figures_of(trials.seeds(0, arm, b), measure);
                for (std::size_t seed = 0; seed < means.size(); ++seed) {
                    means[seed] += figures[seed] / static_cast<double>(kBatches.size());
                }
            }
            return means;
        };
        smaller_gap.of(arm) = mean_over_batches(gap);
        smaller_loss.of(arm) = mean_over_batches(val);
    }
    const Recipe& recipe = network.with;
    Text opening{fmt::format(
        "SLIGHTLY REGULARISED. Validation minus training loss, by batch size. So that there is a gap to see, {} is "
        "made wider (an embedding of {}, {} units a layer) and trains on {:.0f} % of the names, at a rate of {:.4g}; "
        "each batch size sees the same number of examples, {}. Both losses are taken in evaluation mode, by the "
        "statistics of the whole training part. The claim's rows are means over the batch sizes.",
        recipe.name, recipe.network.embedding * kWiderEmbedding, recipe.network.hidden.back() * kWiderHidden,
        100 * kTrainingPart, rate_at(recipe, 0), trials.bench.steps * kExamplesPerStep)};
    return {{std::move(opening), std::move(gaps), std::move(parts)},
            {std::move(plot)},
            {std::move(smaller_gap), std::move(smaller_loss)},
            {}};
}

}  // namespace

Plan plan_rates(const Bench& bench) {
    const auto make = [](Recipe recipe, std::size_t rate) {
        return for_its_curve(at_rate(std::move(recipe), rates()[rate]));
    };
    const auto sections = [&bench](std::span<const Trained> trained) {
        const Trials trials{bench, rates(), trained};
        std::vector<Section> made;
        if (bench.wanted.contains("faster")) {
            made.push_back(faster(trials));
        }
        if (bench.wanted.contains("rates")) {
            made.push_back(larger_rates(trials));
        }
        return made;
    };
    return {trainings_of(bench, rates().size(), make), sections};
}

Plan plan_weights(const Bench& bench) {
    const auto make = [](Recipe recipe, std::size_t factor) {
        const double rate = rate_at(recipe, 0);
        return scaled(at_rate(std::move(recipe), rate), kFactors[factor]);
    };
    const auto sections = [&bench](std::span<const Trained> trained) {
        return std::vector{initial_weights({bench, kFactors, trained})};
    };
    return {trainings_of(bench, kFactors.size(), make), sections};
}

Plan plan_regularised(const Bench& bench) {
    const auto make = [](Recipe recipe, std::size_t batch) {
        return Training{.recipe = overfitting(std::move(recipe), static_cast<std::size_t>(kBatches[batch]))};
    };
    const auto sections = [first = first_network(bench)](std::span<const Trained> trained) {
        return std::vector{regularised({first, kBatches, trained})};
    };
    return {trainings_of(first_network(bench), kBatches.size(), make), sections};
}

}  // namespace byhand::lab
