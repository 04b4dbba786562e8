// Steadier inputs: internal covariate shift, as Ioffe and Szegedy (2015) claim and Santurkar, Tsipras, Ilyas and Mądry
// ("How Does Batch Normalization Help Optimization?", 2018) dispute it. And shift between training and test data.
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "base/value.h"
#include "lab/claims/claims.h"
#include "lab/figures.h"
#include "manual/stepwise.h"
#include "train/losses.h"

namespace byhand::lab {
namespace {

// ---- inputs ----

// The parameters before layer l's linear and after that of the layer before it: the embedding for the first, else all
// that the layer before it has.
std::vector<std::string> learned_just_before(const std::vector<Layer>& all, std::size_t l,
                                             const Tensors<double>& tensors) {
    if (l == 0) {
        return {"C"};
    }
    const Layer& before = all[l - 1];
    std::vector<std::string> names = {before.W(), before.b(), before.value("bngain"), before.value("bnbias")};
    std::erase_if(names, [&](const std::string& name) { return !tensors.contains(name); });
    return names;
}

// At moments of a training, from the beginning to the end.
struct InputRecord {
    std::vector<double> steps;
    // Of the tanh's input of the last hidden layer, over one batch that stays. [moment][unit].
    std::vector<std::vector<double>> means, deviations;
    // On a fresh batch each time, of the training's size and at its rate. [moment].
    std::vector<double> shifts;
};

// What a training is watched with: as large as the network.
struct InputWatch {
    static constexpr std::size_t kFixedRows = 500;

    explicit InputWatch(const Run& run)
        : train(run.train),
          generator(torch_seeded(run.recipe.seed)),
          in_double(stepwise_graph(run.recipe.network, run.recipe.batch)),
          fixed(stepwise_graph(run.recipe.network, kFixedRows)) {
        fixed.set_batch(draw(kFixedRows).view());
    }

    DrawnBatch draw(std::size_t rows) {
        DrawnBatch batch(rows, train.context);
        draw_batch(batch, train, generator);
        return batch;
    }

    Examples train;
    TorchGenerator generator;
    Runner<double> in_double;
    Runner<float> fixed;  // over the batch that stays
};

// Mean and deviation of each unit of every hidden layer over the batch that stays, and the shift on a fresh one.
void look(InputWatch& watch, const Tensors<float>& state, const Recipe& recipe, std::size_t steps,
          InputRecord& record) {
    record.steps.push_back(static_cast<double>(steps));
    copy_into(watch.fixed.tensors(), state);
    watch.fixed.forward();
    std::vector<double>&means = record.means.emplace_back(), &deviations = record.deviations.emplace_back();
    for (const Layer& layer : layers(watch.fixed.graph().config)) {
        for (std::size_t unit = 0; !layer.is_output && unit < layer.outputs; ++unit) {
            const std::span<const float> x = watch.fixed.tensors()[layer.value("hpreact")];
            std::vector<double> column;
            for (std::size_t at = unit; at < x.size(); at += layer.outputs) {
                column.push_back(x[at]);
            }
            const MeanAndDeviation of_unit = mean_and_deviation(column);
            means.push_back(of_unit.mean);
            deviations.push_back(of_unit.deviation);
        }
    }
    const DrawnBatch batch = watch.draw(recipe.batch);
    record.shifts.push_back(covariate_shift(watch.in_double, state, batch.view(), rate_at(recipe, steps)));
}

Training watched(const Recipe& recipe, InputRecord& record) {
    constexpr std::size_t kMoments = 40;
    Training training = for_its_curve(recipe);
    const auto watch = std::make_shared<std::unique_ptr<InputWatch>>();
    training.prepare = [watch, evaluate_little = training.prepare](Run& run) {
        evaluate_little(run);
        *watch = std::make_unique<InputWatch>(run);
    };
    training.watch = [=, &record](std::size_t steps, Trainable& model) {
        if (steps % std::max<std::size_t>(1, recipe.steps / kMoments) == 0) {
            look(**watch, model.save(), recipe, steps, record);
        }
        if (steps == recipe.steps) {
            watch->reset();  // not all of them at once
        }
    };
    return training;
}

// ---- data ----

constexpr std::size_t kLonger = 5;  // times the steps of the other trainings: running statistics need them
constexpr std::size_t kTests = 5;   // the last one at the end

char32_t middle_initial(const Names& names) {
    std::u32string initials;
    std::ranges::transform(names, std::back_inserter(initials), [](std::u32string_view name) { return name.front(); });
    const auto middle = initials.begin() + static_cast<std::ptrdiff_t>(initials.size() / 2);
    std::ranges::nth_element(initials, middle);
    return *middle;
}

// A training on names of the first kind; `costs` receives the loss on names of the other kind less that on names of the
// first, at each moment.
Training shifted(Recipe recipe, std::vector<double>& costs) {
    recipe.network.norm.evaluation = EvaluationFigures::running;
    Training training{.recipe = std::move(recipe)};
    const auto names = std::make_shared<ShiftedNames>();
    training.prepare = [=](Run& run) {
        *names = shifted_names(run.names, run.vocabulary, run.recipe.network.context);
        run.train = names->train;
        run.val = names->own;
    };
    const std::size_t last = training.recipe.steps, V = training.recipe.network.vocabulary;
    training.watch = [=, &costs](std::size_t steps, Trainable& model) {
        if (steps != 0 && steps % (last / kTests) == 0) {
            costs.push_back(mean_loss(model, names->other, V) - mean_loss(model, names->own, V));
        }
        if (steps == last) {
            *names = {};  // as large as the data: not every training's at once
        }
    };
    return training;
}

}  // namespace

double covariate_shift(Runner<double>& runner, const Tensors<float>& state, const Batch& batch, double rate) {
    copy_into(runner.tensors(), state);
    runner.set_batch(batch);
    runner.set_rate(rate);
    runner.forward();
    runner.backward();
    runner.update();
    const std::vector<Layer> all = layers(runner.graph().config);
    std::vector<std::vector<double>> G;
    std::ranges::transform(all, std::back_inserter(G),
                           [&](const Layer& layer) { return copy_of(runner.tensors(), gradient_of(layer.W())); });
    double sum = 0;
    for (std::size_t l = 0; l < all.size(); ++l) {
        for (const std::string& name : learned_just_before(all, l, runner.tensors())) {
            // new_X in the place of X; those before it have taken their step already
            std::ranges::copy(runner.tensors()[update_of(name)], runner.tensors()[name].begin());
        }
        runner.forward();
        runner.backward();
        sum += norm(difference(G[l], copy_of(runner.tensors(), gradient_of(all[l].W()))));
    }
    return sum / static_cast<double>(all.size());
}

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
    const auto claim = [&](const char* sentence, const char* measure, const char* brief, const auto& figure) {
        study.figures = figures_of(records, figure);
        claims.push_back(claim_on(study, {"inputs", network.name, sentence, measure, brief},
                                  [](const std::vector<double>& one) { return one.front(); }));
    };
    claim("A layer's inputs shift less while the layers before it learn",
          "Wander of the mean of a tanh's input over a training, in deviations of that input", "mean wanders",
          [](const InputRecord& one) { return wander_of(one.means, one.deviations); });
    claim("Internal covariate shift, by the definition of 2018, is less",
          "‖G − G′‖ of a layer's gradient before and after the layers before it take their step, mean of the layers",
          "‖G − G′‖", [](const InputRecord& one) { return mean_and_deviation(one.shifts).mean; });
    study.measure = "‖G − G′‖";
    std::vector<std::vector<double>> shifts(records.size());
    std::ranges::transform(records, shifts.begin(), &InputRecord::shifts);
    add(document, {over_steps(std::move(study), records.front().steps, shifts)});
    return claims;
}

ShiftedNames shifted_names(const Split& names, const Vocabulary& vocabulary, std::size_t context) {
    const auto is_first = [middle = middle_initial(names.train)](std::u32string_view name) {
        return name.front() <= middle;
    };
    Names train, own, other;
    std::ranges::copy_if(names.train, std::back_inserter(train), is_first);
    for (const Names* part : {&names.val, &names.test}) {
        std::ranges::partition_copy(*part, std::back_inserter(own), std::back_inserter(other), is_first);
    }
    return {examples_of(train, vocabulary, context), examples_of(own, vocabulary, context),
            examples_of(other, vocabulary, context)};
}

Claims shifted_data(Document& document, const TwoForms& network, const Setup& setup) {
    Study study = study_of(network, setup, "shift_initial", "Cost of a shift of the test data by initial");
    std::vector<std::vector<double>> costs(study.arms.size() * study.seeds);
    Setup longer = setup;
    longer.steps *= kLonger;
    train(
        study,
        [&](std::size_t form, std::size_t, std::size_t seed) {
            return shifted(recipe_for(network, form, longer), costs[form * study.seeds + seed]);
        },
        longer);
    std::vector<double> steps;
    const std::size_t apart = longer.steps / kTests;
    for (std::size_t moment = 1; moment <= kTests; ++moment) {
        steps.push_back(static_cast<double>(apart * moment));
    }
    study = over_steps(std::move(study), std::move(steps), costs);
    add(document, {study});
    return {claim_on(study,
                     {"shift", network.name, "A shift of the test data costs less with it",
                      "Loss on names of the other kind, by initial, less that on names of the kind it was trained on",
                      "cost, initial"},
                     [](const std::vector<double>& moments) { return moments.back(); })};
}

}  // namespace byhand::lab
