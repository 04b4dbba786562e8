// Steadier inputs: internal covariate shift, as Ioffe and Szegedy claim and Santurkar et al. dispute it.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/member.h"
#include "lab/claims/bench.h"
#include "lab/claims/input_measures.h"
#include "lab/figures.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kMoments = 40;

using Records = std::vector<std::shared_ptr<InputRecord>>;

Training watched(Recipe recipe, const std::shared_ptr<InputRecord>& record) {
    const std::size_t every = std::max<std::size_t>(1, recipe.steps / kMoments);
    const double rate = rate_at(recipe, 0);
    Training training = for_its_curve(at_rate(std::move(recipe), rate));
    const auto watch = std::make_shared<std::unique_ptr<InputWatch>>();
    training.prepare = [watch, evaluate_little = training.prepare](Run& run) {
        evaluate_little(run);
        *watch = std::make_unique<InputWatch>(run);
    };
    training.watch = [watch, record, every, last = training.recipe.steps](std::size_t steps, Model& model) {
        if (steps % every == 0) {
            (*watch)->look(steps, model, *record);
        }
        if (steps == last) {
            watch->reset();  // as large as the network: not all of them at once
        }
    };
    return training;
}

// The trainings once they are done.
struct Watched {
    const Bench& bench;
    const Records& records;
    Grid grid;

    const InputRecord& record(std::size_t network, Arm arm, std::size_t seed) const {
        return *records[grid.index(network, arm, 0, seed)];
    }
    std::vector<double> over_seeds(std::size_t network, Arm arm, const InputMeasure& measure) const {
        return grid.over_seeds(network, arm, 0, [&](std::size_t i) { return measure(*records[i]); });
    }
};

// Means over the moments and the seeds, layer by layer.
Table layers_table(const Watched& watched, std::size_t n) {
    const Network& network = watched.bench.networks[n];
    Table table{title_of("layer by layer", network),
                {"gradient to", "", "‖x − x′‖ / ‖x‖", "‖G‖", "‖G − G′‖", "cosine of G, G′"},
                {}};
    const std::vector<Layer> all = layers(network.with.network);
    for (std::size_t l = 0; l < all.size(); ++l) {
        for (const Arm arm : kArms) {
            const auto mean = [&](Member<LayerShift, double> figure) {
                const auto of_record = [&](const InputRecord& record) { return mean_over_moments(record, l, figure); };
                return mean_and_deviation(watched.over_seeds(n, arm, of_record)).mean;
            };
            table.rows.push_back({arm == Arm::with ? all[l].W() : std::string(), words_of(arm),
                                  fixed(mean(&LayerShift::input), 4), fixed(mean(&LayerShift::gradient), 4),
                                  fixed(mean(&LayerShift::difference), 4), fixed(mean(&LayerShift::cosine), 5)});
        }
    }
    return table;
}

// A unit of the last hidden layer as it trains on the first seed: mean, and a deviation to both sides.
Plot unit_plot(const Watched& watched, std::size_t n) {
    Plot plot{title_of("A unit's input to the tanh, last hidden layer: mean ± deviation over a batch that stays",
                       watched.bench.networks[n]),
              "step",
              "hpreact",
              {}};
    for (const Arm arm : kArms) {
        const InputRecord& record = watched.record(n, arm, 0);
        const UnitFigures& units = record.units[record.units.size() - 2];
        const std::size_t unit = typical_unit(units);
        Series series{words_of(arm), {}, {}, {}, {}, Style::line};
        for (std::size_t i = 0; i < record.steps.size(); ++i) {
            const double mean = units.means[i][unit], deviation = units.deviations[i][unit];
            series.x.push_back(static_cast<double>(record.steps[i]));
            series.y.push_back(mean);
            series.low.push_back(mean - deviation);
            series.high.push_back(mean + deviation);
        }
        plot.series.push_back(std::move(series));
    }
    return plot;
}

// A figure by step, over the seeds.
using AtMoment = std::function<double(const InputRecord& record, std::size_t moment)>;
Plot plot_by_step(const Watched& watched, std::size_t n, const std::string& title, const std::string& label,
                  const AtMoment& figure) {
    Plot plot{title_of(title, watched.bench.networks[n]), "step", label, {}};
    for (const Arm arm : kArms) {
        const std::vector<std::size_t>& steps = watched.record(n, arm, 0).steps;
        std::vector<std::vector<double>> figures(steps.size());
        for (std::size_t seed = 0; seed < watched.grid.seeds; ++seed) {
            const InputRecord& record = watched.record(n, arm, seed);
            for (std::size_t i = 0; i < std::min(figures.size(), record.steps.size()); ++i) {
                figures[i].push_back(figure(record, i));
            }
        }
        plot.series.push_back(band(words_of(arm), {steps.begin(), steps.end()}, figures));
        plot.series.back().style = Style::line;
    }
    return plot;
}

const char* more_or_less(const Row& row) {
    switch (verdict_of(row).outcome) {
        case Outcome::holds:
            return "less";
        case Outcome::does_not_hold:
            return "more";
        case Outcome::no_difference:
            return "neither less nor more";
        case Outcome::undecided:
            break;
    }
    return "(undecided)";
}

bool all_hold(std::span<const Row> rows) {
    return std::ranges::all_of(rows, [](const Row& row) { return verdict_of(row).outcome == Outcome::holds; });
}

// The two sides of the dispute, by the rows of one network in the order of input_measures().
Text conclusion(const std::string& network, std::span<const Row> rows) {
    constexpr std::size_t kWanders = 2, kShifts = 3, kSmooth = 5;  // so many; from there on; from there on
    const auto word = [&](std::size_t i) { return more_or_less(rows[i]); };
    const char* steady = all_hold(rows.first(kWanders)) ? "is steadier, as Ioffe and Szegedy say"
                                                        : "is not steadier in both, against Ioffe and Szegedy";
    const char* shift = all_hold(rows.subspan(kShifts, kSmooth - kShifts))
                            ? "is less, which Santurkar et al. did not find"
                            : "is not less in both, as Santurkar et al. found";
    return Text{fmt::format(
        "On {} with the norm, the mean of a tanh's input wanders {} over the training and its deviation {}: the "
        "distribution {}. A step of the layers before changes what a layer reads {}. By the gradients G and G′ the "
        "shift is {} in length and {} in direction: it {}. Along the gradient the loss varies {} and the gradient "
        "changes {}, for the distance {}.",
        network, word(0), word(1), steady, word(2), word(kShifts), word(kShifts + 1), shift, word(kSmooth),
        word(kSmooth + 1), word(kSmooth + 2))};
}

Section tell(const Bench& bench, const Records& records) {
    const Watched watched{bench, records, grid_of(bench, 1)};
    Section section;
    section.blocks.emplace_back(Text{fmt::format(
        "STEADIER INPUTS. Ioffe and Szegedy (2015) call the change in the distribution of a layer's inputs, as the "
        "layers before it learn, internal covariate shift, and say that the norm reduces it. Santurkar, Tsipras, "
        "Ilyas and Mądry (2018, definition 2.1) measure it by the gradient: G is the gradient to a layer's weights, "
        "G′ the same on the same batch once the layers before it have taken their step; the shift is ‖G − G′‖ (none: "
        "0), with the cosine of G and G′ (none: 1). They find it no smaller with the norm, and see what the norm does "
        "in a smoother loss: along the gradient, how far the loss varies, how far the gradient changes, and that over "
        "the distance (figure 4: steps of 0.05 to 0.4 at a rate of 0.1; here 0.5 to 4 rates).\n"
        "Measured {} times in {} steps, at the same rate in both forms: the mean and deviation of each tanh's input "
        "over one batch that stays, the rest on a fresh minibatch. A unit wanders by the deviation of its mean (its "
        "deviation) over these moments, in units of its own spread over the batch. The embedding counts as the first "
        "of the layers before.",
        kMoments + 1, bench.steps)});
    for (std::size_t n = 0; n < watched.grid.networks; ++n) {
        const Network& network = bench.networks[n];
        section.blocks.emplace_back(layers_table(watched, n));
        for (const MeasuredInput& one : input_measures()) {
            section.rows.push_back({"inputs", network.name, one.claim, one.measure, one.brief, one.better,
                                    watched.over_seeds(n, Arm::with, one.of),
                                    watched.over_seeds(n, Arm::without, one.of)});
        }
        section.conclusion.emplace_back(
            conclusion(network.name, std::span(section.rows).last(input_measures().size())));
    }
    const std::size_t last = watched.grid.networks - 1;
    section.plots.push_back(unit_plot(watched, last));
    section.plots.push_back(plot_by_step(watched, last,
                                         "Internal covariate shift by the definition of 2018, mean of the layers",
                                         "‖G − G′‖", [](const InputRecord& record, std::size_t moment) {
                                             return mean_over_layers(record.shifts[moment], &LayerShift::difference);
                                         }));
    section.plots.push_back(
        plot_by_step(watched, last, "Variation of the loss along the gradient", "nats",
                     [](const InputRecord& record, std::size_t moment) { return record.smoothness[moment].loss; }));
    return section;
}

}  // namespace

Plan plan_inputs(const Bench& bench) {
    Plan plan;
    const auto records = std::make_shared<Records>();
    plan.trainings = trainings_of(bench, 1, [&](Recipe recipe, std::size_t) {
        records->push_back(std::make_shared<InputRecord>());
        return watched(std::move(recipe), records->back());
    });
    plan.tell = [records](const Bench& done, std::span<const Trained>) {
        return std::vector<Section>{tell(done, *records)};
    };
    return plan;
}

}  // namespace byhand::lab
