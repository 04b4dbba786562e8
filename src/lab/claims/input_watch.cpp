#include "lab/claims/input_watch.h"

#include <array>
#include <span>

#include "lab/figures.h"
#include "manual/stepwise.h"
#include "names/batches.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kFixedRows = 500;

// Along the gradient, in learning rates: the document went from 0.05 to 0.4 in training at 0.1.
constexpr std::array kDistances = {0.5, 1.0, 2.0, 4.0};

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

}  // namespace

std::vector<std::string> watched_values(const NetworkConfig& config) {
    std::vector<std::string> names;
    for (const Layer& layer : layers(config)) {
        if (!layer.is_output) {
            names.push_back(layer.value("hpreact"));
        }
    }
    const std::vector<Layer> all = layers(config);
    names.push_back(all[all.size() - 2].value("h"));
    return names;
}

InputWatch::InputWatch(const Run& run)
    : recipe_(run.recipe),
      train_(run.train),
      generator_(torch_seeded(run.recipe.seed)),
      landscape_(run.recipe.network, run.recipe.batch),
      fixed_(stepwise_graph(run.recipe.network, kFixedRows)) {
    DrawnBatch batch(kFixedRows, train_.context);
    draw_batch(batch, train_, generator_);
    fixed_.set_batch(batch.view());
}

void InputWatch::look(std::size_t steps, const Model& model, InputRecord& record) {
    const Tensors<float> state = model.save();
    record.steps.push_back(steps);
    copy_into(fixed_.tensors(), state);
    fixed_.forward();
    const std::vector<std::string> watched = watched_values(recipe_.network);
    record.units.resize(watched.size());
    for (std::size_t i = 0; i < watched.size(); ++i) {
        add_moment(record.units[i], fixed_.tensors()[watched[i]], kFixedRows);
    }
    DrawnBatch batch(recipe_.batch, train_.context);
    draw_batch(batch, train_, generator_);
    const double rate = rate_at(recipe_, steps);
    record.shifts.push_back(landscape_.shifts(state, batch.view(), rate));
    std::vector<double> distances(kDistances.begin(), kDistances.end());
    for (double& distance : distances) {
        distance *= rate;
    }
    record.smoothness.push_back(landscape_.along_gradient(state, batch.view(), distances));
}

}  // namespace byhand::lab
