// Slightly regularising.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "lab/claims/bench.h"
#include "lab/figures.h"

namespace byhand::lab {
namespace {

const std::vector<std::size_t> kBatches = {4, 8, 32, 128};

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

struct Losses {
    Grid grid;
    std::span<const Trained> trained;

    template <class Measure>
    std::vector<double> of(Arm arm, std::size_t batch, Measure measure) const {
        return grid.over_seeds(0, arm, batch, [&](std::size_t i) { return measure(trained[i]); });
    }
    std::vector<double> gaps(Arm arm, std::size_t batch) const {
        return of(arm, batch, [](const Trained& one) { return one.val - one.train; });
    }
};

double train(const Trained& one) {
    return one.train;
}
double validation(const Trained& one) {
    return one.val;
}

std::string opening(const Bench& bench) {
    const Recipe& recipe = bench.networks.front().with;
    return fmt::format(
        "SLIGHTLY REGULARISED. Validation minus training loss, by batch size. So that there is a gap to see, {} is "
        "made wider (an embedding of {}, {} units a layer) and trains on {:.0f} % of the names, at a rate of {:.4g}; "
        "each batch size sees the same number of examples, {}. Both losses are taken in evaluation mode, by the "
        "figures of the whole training part. The claim's rows are means over the batch sizes.",
        recipe.name, recipe.network.embedding * kWiderEmbedding, recipe.network.hidden.back() * kWiderHidden,
        100 * kTrainingPart, rate_at(recipe, 0), bench.steps * kExamplesPerStep);
}

Section tell(const Bench& bench, std::span<const Trained> trained) {
    const Losses losses{grid_of(bench, kBatches.size()), trained};
    Section section;
    section.blocks.emplace_back(Text{opening(bench)});
    Table gaps{"validation minus training loss", {"batch", words_of(Arm::with), words_of(Arm::without), "verdict"}, {}};
    Table parts{"the two losses", {"batch", "training: with", "without", "validation: with", "without"}, {}};
    const auto row_of = [&](const char* measure, const char* brief) {
        const std::vector<double> zeros(losses.grid.seeds);
        return Row{"regularised",
                   bench.networks.front().name,
                   "It regularises slightly",
                   measure,
                   brief,
                   Better::smaller,
                   zeros,
                   zeros};
    };
    Row row = row_of("validation minus training loss, mean of the batch sizes", "val − train");
    Row loss = row_of("validation loss, mean of the batch sizes", "val loss");
    const std::vector<double> sizes(kBatches.begin(), kBatches.end());
    Plot plot{"Validation minus training loss", "batch size", "nats", {}, true};
    for (const Arm arm : kArms) {
        std::vector<std::vector<double>> figures(kBatches.size());
        for (std::size_t b = 0; b < kBatches.size(); ++b) {
            figures[b] = losses.gaps(arm, b);
            const std::vector<double> val = losses.of(arm, b, validation);
            for (std::size_t seed = 0; seed < losses.grid.seeds; ++seed) {
                row.of(arm)[seed] += figures[b][seed] / static_cast<double>(kBatches.size());
                loss.of(arm)[seed] += val[seed] / static_cast<double>(kBatches.size());
            }
        }
        plot.series.push_back(band(words_of(arm), sizes, figures));
    }
    for (std::size_t b = 0; b < kBatches.size(); ++b) {
        const std::vector<double> with = losses.gaps(Arm::with, b), without = losses.gaps(Arm::without, b);
        gaps.rows.push_back({whole(kBatches[b]), with_spread(with, 3), with_spread(without, 3),
                             brief(verdict_of(with, without, Better::smaller).outcome)});
        parts.rows.push_back({whole(kBatches[b]), with_spread(losses.of(Arm::with, b, train), 3),
                              with_spread(losses.of(Arm::without, b, train), 3),
                              with_spread(losses.of(Arm::with, b, validation), 3),
                              with_spread(losses.of(Arm::without, b, validation), 3)});
    }
    section.blocks.emplace_back(std::move(gaps));
    section.blocks.emplace_back(std::move(parts));
    section.plots.push_back(std::move(plot));
    section.rows.push_back(std::move(row));
    section.rows.push_back(std::move(loss));
    return section;
}

}  // namespace

Plan plan_regularised(const Bench& bench) {
    Plan plan;
    plan.trainings = trainings_of(first_network(bench), kBatches.size(), [](Recipe recipe, std::size_t batch) {
        return Training{.recipe = overfitting(std::move(recipe), kBatches[batch])};
    });
    plan.tell = [](const Bench& done, std::span<const Trained> trained) {
        return std::vector<Section>{tell(first_network(done), trained)};
    };
    return plan;
}

}  // namespace byhand::lab
