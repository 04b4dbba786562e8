// Steadier inputs: internal covariate shift, as Ioffe and Szegedy (2015) claim and Santurkar, Tsipras, Ilyas and Mądry
// ("How Does Batch Normalization Help Optimization?", 2018) dispute it.
#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "lab/claims/claims.h"
#include "manual/stepwise.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kMoments = 40;

// At moments of a training, from the beginning to the end.
struct InputRecord {
    std::vector<double> steps;
    // Of the tanh's input of the last hidden layer, over one batch that stays. [moment][unit].
    std::vector<std::vector<double>> means, deviations;
    // On a fresh batch each time, of the training's size and at its rate. [moment].
    std::vector<double> shifts, variations;
};

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

    void look(std::size_t steps, const Trainable& model, InputRecord& record) {
        const Tensors<float> state = model.save();
        record.steps.push_back(static_cast<double>(steps));
        copy_into(fixed_.tensors(), state);
        fixed_.forward();
        add_units(record);
        const DrawnBatch batch = draw(recipe_.batch);
        const double rate = rate_at(recipe_, steps);
        record.shifts.push_back(covariate_shift(in_double_, state, batch.view(), rate));
        // Santurkar et al. go from 0.05 to 0.4 in training at 0.1.
        record.variations.push_back(
            variation_along_gradient(in_double_, state, batch.view(), {0.5 * rate, rate, 2 * rate, 4 * rate}));
    }

private:
    static constexpr std::size_t kFixedRows = 500;

    DrawnBatch draw(std::size_t rows) {
        DrawnBatch batch(rows, train_.context);
        draw_batch(batch, train_, generator_);
        return batch;
    }

    // Mean and deviation of each unit of every hidden layer over the rows.
    void add_units(InputRecord& record) {
        std::vector<double>&means = record.means.emplace_back(), &deviations = record.deviations.emplace_back();
        for (const Layer& layer : layers(recipe_.network)) {
            for (std::size_t unit = 0; !layer.is_output && unit < layer.outputs; ++unit) {
                const std::span<const float> x = fixed_.tensors()[layer.value("hpreact")];
                std::vector<double> column(kFixedRows);
                for (std::size_t row = 0; row < kFixedRows; ++row) {
                    column[row] = x[row * layer.outputs + unit];
                }
                const MeanAndDeviation of_unit = mean_and_deviation(column);
                means.push_back(of_unit.mean);
                deviations.push_back(of_unit.deviation);
            }
        }
    }

    Recipe recipe_;
    Examples train_;
    TorchGenerator generator_;
    Runner<double> in_double_;
    Runner<float> fixed_;  // over the batch that stays
};

Training watched(const Recipe& recipe, InputRecord& record) {
    const std::size_t every = std::max<std::size_t>(1, recipe.steps / kMoments);
    Training training = for_its_curve(recipe);
    const auto watch = std::make_shared<std::unique_ptr<InputWatch>>();
    training.prepare = [watch, evaluate_little = training.prepare](Run& run) {
        evaluate_little(run);
        *watch = std::make_unique<InputWatch>(run);
    };
    training.watch = [watch, &record, every, last = recipe.steps](std::size_t steps, Trainable& model) {
        if (steps % every == 0) {
            (*watch)->look(steps, model, record);
        }
        if (steps == last) {
            watch->reset();  // as large as the network: not all of them at once
        }
    };
    return training;
}

double wander(const InputRecord& record) {
    return wander_of(record.means, record.deviations);
}
double mean_shift(const InputRecord& record) {
    return mean_and_deviation(record.shifts).mean;
}
double mean_variation(const InputRecord& record) {
    return mean_and_deviation(record.variations).mean;
}

}  // namespace

double wander_of(const std::vector<std::vector<double>>& means, const std::vector<std::vector<double>>& deviations) {
    double wander = 0, spread = 0;
    for (std::size_t unit = 0; unit < means.front().size(); ++unit) {
        const auto of_unit = [unit](const std::vector<double>& units) { return units[unit]; };
        wander += mean_and_deviation(figures_of(means, of_unit)).deviation;
        spread += mean_and_deviation(figures_of(deviations, of_unit)).mean;
    }
    return wander / spread;
}

Claims steadier_inputs(Document& document, const TwoForms& network, const Setup& setup) {
    Study study = study_of(network, setup, "inputs", "Internal covariate shift ‖G − G′‖, mean of the layers");
    std::vector<InputRecord> records(study.arms.size() * study.seeds);
    train(
        study,
        [&](std::size_t form, std::size_t, std::size_t seed) {
            return watched(recipe_for(network, form, setup), records[form * study.seeds + seed]);
        },
        setup);
    Claims claims;
    using Figure = double (*)(const InputRecord& record);
    for (const auto& [sentence, measure, brief, figure] :
         {std::tuple<const char*, const char*, const char*, Figure>{
              "A layer's inputs shift less while the layers before it learn",
              "Wander of the mean of a tanh's input over a training, in deviations of that input", "mean wanders",
              wander},
          {"Internal covariate shift, by the definition of 2018, is less",
           "‖G − G′‖ of a layer's gradient before and after the layers before it take their step, mean of the layers",
           "‖G − G′‖", mean_shift},
          {"The loss is smoother along the gradient", "Variation of the loss from 0.5 to 4 rates along the gradient",
           "loss along ∇L", mean_variation}}) {
        study.figures = figures_of(records, figure);
        claims.push_back(claim_on(study, {"inputs", network.name, sentence, measure, brief, {}, {}, {}},
                                  [](const std::vector<double>& one) { return one.front(); }));
    }
    study.varied = "step";
    study.log_x = false;
    study.values = records.front().steps;
    study.measure = "‖G − G′‖";
    add(document, {filled(study, [&](std::size_t form, std::size_t moment, std::size_t seed) {
            const std::vector<double>& shifts = records[form * study.seeds + seed].shifts;
            return moment < shifts.size() ? shifts[moment] : std::numeric_limits<double>::quiet_NaN();
        })});
    return claims;
}

}  // namespace byhand::lab
