// Steadier inputs: internal covariate shift, as Ioffe and Szegedy claim and Santurkar et al. dispute it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <numbers>
#include <numeric>
#include <string>
#include <utility>

#include "base/member.h"
#include "lab/claims/bench.h"
#include "lab/claims/landscape.h"
#include "lab/figures.h"
#include "manual/stepwise.h"
#include "names/dataset.h"

namespace byhand::lab {
namespace {

// ---- what is recorded of a training ----

constexpr std::size_t kMoments = 40;

// At moments of a training, from the beginning to the end.
struct InputRecord {
    std::vector<double> steps;
    // Of the input of the tanh of each hidden layer, over one batch that stays.
    std::vector<UnitFigures> units;
    // On a fresh batch each time, of the training's size and at its rate. [moment][layer], [moment].
    std::vector<std::vector<LayerShift>> shifts;
    std::vector<Smoothness> smoothness;
};
using Records = std::vector<std::shared_ptr<InputRecord>>;

// Mean and deviation of each unit over the rows.
void add_moment(UnitFigures& figures, std::span<const float> x, std::size_t rows) {
    const std::size_t units = x.size() / rows;
    std::vector<double> column(rows);
    std::vector<double>& means = figures.means.emplace_back(units);
    std::vector<double>& deviations = figures.deviations.emplace_back(units);
    for (std::size_t unit = 0; unit < units; ++unit) {
        for (std::size_t row = 0; row < rows; ++row) {
            column[row] = x[row * units + unit];
        }
        const MeanAndDeviation of_unit = mean_and_deviation(column);
        means[unit] = of_unit.mean;
        deviations[unit] = of_unit.deviation;
    }
}

class InputWatch {
public:
    explicit InputWatch(const Run& run)
        : recipe_(run.recipe),
          train_(run.train),
          generator_(torch_seeded(run.recipe.seed)),
          in_double_(stepwise_graph(run.recipe.network, run.recipe.batch)),
          fixed_(stepwise_graph(run.recipe.network, kFixedRows)) {
        fixed_.set_batch(draw(kFixedRows).view());
    }

    void look(std::size_t steps, const Model& model, InputRecord& record) {
        const Tensors<float> state = model.save();
        record.steps.push_back(static_cast<double>(steps));
        copy_into(fixed_.tensors(), state);
        fixed_.forward();
        const std::vector<Layer> all = layers(recipe_.network);
        record.units.resize(all.size() - 1);
        for (std::size_t i = 0; i < record.units.size(); ++i) {
            add_moment(record.units[i], fixed_.tensors()[all[i].value("hpreact")], kFixedRows);
        }
        const DrawnBatch batch = draw(recipe_.batch);
        const double rate = rate_at(recipe_, steps);
        record.shifts.push_back(layer_shifts(in_double_, state, batch.view(), rate));
        // Santurkar et al. go from 0.05 to 0.4 in training at 0.1.
        record.smoothness.push_back(
            along_gradient(in_double_, state, batch.view(), {0.5 * rate, rate, 2 * rate, 4 * rate}));
    }

private:
    static constexpr std::size_t kFixedRows = 500;

    DrawnBatch draw(std::size_t rows) {
        DrawnBatch batch(rows, train_.context);
        draw_batch(batch, train_, generator_);
        return batch;
    }

    Recipe recipe_;
    Examples train_;
    TorchGenerator generator_;
    Runner<double> in_double_;
    Runner<float> fixed_;  // over the batch that stays
};

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

// ---- what is read from the records ----

template <class Items, class Measure>
double mean_of(const Items& items, Measure measure) {
    const std::vector<double> figures = figures_of(items, measure);
    return std::accumulate(figures.begin(), figures.end(), 0.0) / static_cast<double>(figures.size());
}

double angle(const LayerShift& layer) {
    return 180 / std::numbers::pi * std::acos(std::clamp(layer.cosine, -1.0, 1.0));
}

// A figure of a record is the mean over the hidden layers, over moments and layers, or over the moments.
using Figure = std::function<double(const InputRecord& record)>;

Figure of_units(Member<Wander, double> figure) {
    return [figure](const InputRecord& record) {
        return mean_of(record.units, [&](const UnitFigures& units) { return wander_of(units).*figure; });
    };
}
template <class Measure>
Figure of_layers(Measure measure) {
    return [measure](const InputRecord& record) {
        return mean_of(record.shifts, [&](const std::vector<LayerShift>& layers) { return mean_of(layers, measure); });
    };
}
Figure of_moments(Member<Smoothness, double> figure) {
    return [figure](const InputRecord& record) { return mean_of(record.smoothness, figure); };
}

// What a claim is measured by; the smaller is the better.
struct Measure {
    const char* claim;
    const char* measure;
    const char* brief;
    Figure of;
};

const std::vector<Measure>& measures() {
    constexpr const char* kSteadier = "A layer's inputs shift less while the layers before it learn";
    constexpr const char* kLessShift = "Internal covariate shift, by the definition of 2018, is less";
    constexpr const char* kSmoother = "The loss is smoother along the gradient";
    static const std::vector<Measure> all = {
        {kSteadier, "wander of the mean of a tanh's input, in deviations of that input", "mean wanders",
         of_units(&Wander::mean)},
        {kSteadier, "wander of the deviation of a tanh's input, in deviations of that input", "dev. wanders",
         of_units(&Wander::deviation)},
        {kSteadier, "relative change of a layer's input by one update of the layers before it", "input, a step",
         of_layers(&LayerShift::input)},
        {kLessShift, "‖G − G′‖, mean of the layers", "‖G − G′‖", of_layers(&LayerShift::difference)},
        {kLessShift, "angle between G and G′ in degrees, mean of the layers", "angle G, G′", of_layers(angle)},
        {kSmoother, "variation of the loss along the gradient", "loss along ∇L", of_moments(&Smoothness::loss)},
        {kSmoother, "largest change of the gradient along itself", "‖∇L − ∇L′‖", of_moments(&Smoothness::gradient)},
        {kSmoother, "the same over the distance, effective β-smoothness", "β-smoothness",
         of_moments(&Smoothness::beta)},
    };
    return all;
}

// The trainings once they are done.
struct Watched {
    const Bench& bench;
    std::span<const std::shared_ptr<InputRecord>> records;
    Grid grid = grid_of(bench, 1);

    std::span<const std::shared_ptr<InputRecord>> seeds(std::size_t network, Arm arm) const {
        return grid.of(records, network, arm, 0);
    }
    std::vector<double> figures(std::size_t network, Arm arm, const Figure& figure) const {
        return figures_of(seeds(network, arm), [&](const auto& record) { return figure(*record); });
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
                const auto over_moments = [&](const InputRecord& record) {
                    return mean_of(record.shifts, [&](const auto& layers) { return layers[l].*figure; });
                };
                return mean_and_deviation(watched.figures(n, arm, over_moments)).mean;
            };
            table.rows.push_back({arm == Arm::with ? all[l].W() : std::string(), words_of(arm),
                                  fixed(mean(&LayerShift::input), 4), fixed(mean(&LayerShift::gradient), 4),
                                  fixed(mean(&LayerShift::difference), 4), fixed(mean(&LayerShift::cosine), 5)});
        }
    }
    return table;
}

// A figure by step, over the seeds.
template <class AtMoment>
Plot plot_by_step(const Watched& watched, std::size_t n, const std::string& title, const std::string& label,
                  AtMoment figure) {
    Plot plot{title_of(title, watched.bench.networks[n]), "step", label, {}};
    for (const Arm arm : kArms) {
        plot.series.push_back(by_step(words_of(arm), watched.seeds(n, arm), figure));
        plot.series.back().style = Style::line;
    }
    return plot;
}

// A unit of the last hidden layer during training on the first seed: mean ± deviation.
Plot unit_plot(const Watched& watched, std::size_t n) {
    Plot plot{title_of("A unit's input to the tanh, last hidden layer: mean ± deviation over a batch that stays",
                       watched.bench.networks[n]),
              "step",
              "hpreact",
              {}};
    for (const Arm arm : kArms) {
        const InputRecord& record = *watched.seeds(n, arm).front();
        const UnitFigures& units = record.units.back();
        const std::size_t unit = typical_unit(units);
        Series& series = plot.series.emplace_back(Series{words_of(arm), record.steps, {}, {}, {}, Style::line});
        for (std::size_t i = 0; i < record.steps.size(); ++i) {
            const double mean = units.means[i][unit], deviation = units.deviations[i][unit];
            series.y.push_back(mean);
            series.low.push_back(mean - deviation);
            series.high.push_back(mean + deviation);
        }
    }
    return plot;
}

Section section_of(const Watched& watched) {
    Section section;
    section.blocks.emplace_back(Text{fmt::format(
        "STEADIER INPUTS. Ioffe and Szegedy (2015) call the change in the distribution of a layer's inputs, as the "
        "layers before it learn, internal covariate shift, and say that the norm reduces it: then the wanders are "
        "smaller. Santurkar, Tsipras, Ilyas and Mądry (2018, definition 2.1) measure it by the gradient: G is the "
        "gradient to a layer's weights, G′ the same on the same batch once the layers before it have taken their step; "
        "the shift is ‖G − G′‖ (none: 0), with the cosine of G and G′ (none: 1). They find it no smaller with the "
        "norm, and see what the norm does in a smoother loss: along the gradient, how far the loss varies, how far the "
        "gradient changes, and that over the distance (figure 4: steps of 0.05 to 0.4 at a rate of 0.1; here 0.5 to 4 "
        "rates).\n"
        "Measured {} times in {} steps, at the same rate in both forms: the mean and deviation of each tanh's input "
        "over one batch that stays, the rest on a fresh minibatch. A unit wanders by the deviation of its mean (its "
        "deviation) over these moments, in units of its own spread over the batch. The embedding counts as the first "
        "of the layers before.",
        kMoments + 1, watched.bench.steps)});
    for (std::size_t n = 0; n < watched.grid.networks; ++n) {
        section.blocks.emplace_back(layers_table(watched, n));
        for (const Measure& one : measures()) {
            section.claims.push_back({"inputs", watched.bench.networks[n].name, one.claim, one.measure, one.brief,
                                      Better::smaller, watched.figures(n, Arm::with, one.of),
                                      watched.figures(n, Arm::without, one.of)});
        }
    }
    const std::size_t last = watched.grid.networks - 1;
    const auto shift = [](const InputRecord& record, std::size_t moment) {
        return mean_of(record.shifts[moment], &LayerShift::difference);
    };
    const auto variation = [](const InputRecord& record, std::size_t moment) { return record.smoothness[moment].loss; };
    section.plots = {
        unit_plot(watched, last),
        plot_by_step(watched, last, "Internal covariate shift by the definition of 2018, mean of the layers",
                     "‖G − G′‖", shift),
        plot_by_step(watched, last, "Variation of the loss along the gradient", "nats", variation),
    };
    return section;
}

}  // namespace

Plan plan_inputs(const Bench& bench) {
    const auto records = std::make_shared<Records>();
    const auto make = [&](Recipe recipe, std::size_t) {
        records->push_back(std::make_shared<InputRecord>());
        return watched(std::move(recipe), records->back());
    };
    const auto sections = [&bench, records](std::span<const Trained>) {
        return std::vector{section_of({bench, *records})};
    };
    return {trainings_of(bench, 1, make), sections};
}

}  // namespace byhand::lab
