// Less dependent on the initial weights.
#include <fmt/format.h>

#include <string>
#include <utility>

#include "lab/claims/bench.h"
#include "lab/claims/measures.h"
#include "lab/figures.h"

namespace byhand::lab {
namespace {

const std::vector<double> kFactors = {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};
constexpr double kTolerance = 0.05;  // nats

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

Section tell(const Bench& bench, std::span<const Trained> trained) {
    const Grid grid = grid_of(bench, kFactors.size());
    const auto loss = [&](std::size_t i) { return final_loss(trained[i]); };
    Section section;
    section.blocks.emplace_back(Text{fmt::format(
        "INITIAL WEIGHTS. Every hidden weight begins at so many times what the recipe draws, at the recipe's learning "
        "rate; the mean loss of the last fifth of {} steps. The measure: over how many decades of the factor the "
        "loss stays within {} nats of that form's best.",
        bench.steps, kTolerance)});
    for (std::size_t n = 0; n < grid.networks; ++n) {
        const Network& network = bench.networks[n];
        Table table{title_of("final loss", network), {"factor", words_of(Arm::with), words_of(Arm::without)}, {}};
        Plot plot{title_of("Final loss by the scale of the initial weights", network), "factor", "loss", {}, true};
        for (std::size_t f = 0; f < kFactors.size(); ++f) {
            table.rows.push_back({significant(kFactors[f], 4), with_spread(grid.over_seeds(n, Arm::with, f, loss), 3),
                                  with_spread(grid.over_seeds(n, Arm::without, f, loss), 3)});
        }
        Row row{"weights",
                network.name,
                "It depends less on the initial weights",
                fmt::format("decades of the factor within {} nats of the best", kTolerance),
                "decades",
                Better::larger,
                {},
                {}};
        for (const Arm arm : kArms) {
            std::vector<std::vector<double>> losses(kFactors.size());
            for (std::size_t f = 0; f < kFactors.size(); ++f) {
                losses[f] = grid.over_seeds(n, arm, f, loss);
            }
            plot.series.push_back(band(words_of(arm), kFactors, losses));
            for (std::size_t seed = 0; seed < grid.seeds; ++seed) {
                std::vector<double> of_seed(kFactors.size());
                for (std::size_t f = 0; f < kFactors.size(); ++f) {
                    of_seed[f] = losses[f][seed];
                }
                row.of(arm).push_back(decades_within(kFactors, of_seed, kTolerance));
            }
        }
        section.blocks.emplace_back(std::move(table));
        section.plots.push_back(std::move(plot));
        section.rows.push_back(std::move(row));
    }
    return section;
}

}  // namespace

Plan plan_weights(const Bench& bench) {
    Plan plan;
    plan.trainings = trainings_of(bench, kFactors.size(), [](Recipe recipe, std::size_t factor) {
        const double rate = rate_at(recipe, 0);
        return scaled(at_rate(std::move(recipe), rate), kFactors[factor]);
    });
    plan.tell = [](const Bench& done, std::span<const Trained> trained) {
        return std::vector<Section>{tell(done, trained)};
    };
    return plan;
}

}  // namespace byhand::lab
