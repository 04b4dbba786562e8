#include "lab/loss/training.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <memory>

#include "lab/evaluated.h"
#include "lab/loss/steps.h"
#include "lab/training.h"
#include "manual/models.h"
#include "manual/stepwise.h"
#include "steps/rounded.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kCurvePoints = 20;       // after the first
constexpr std::size_t kCurveExamples = 4'000;  // enough to see the losses apart

Examples first_of(const Examples& examples, std::size_t count) {
    Examples first = examples;
    first.X.resize(std::min(first.X.size(), count * examples.context));
    first.Y.resize(std::min(first.Y.size(), count));
    return first;
}

// Where the norms go by the figures of the training set, `train` is that set.
Losses losses_on(const Examples& examples, const Examples& train, const NetworkConfig& network,
                 const Tensors<float>& state) {
    constexpr std::size_t kRows = 4096;  // at a time, so that memory does not grow with the data
    const std::unique_ptr<Model> model = evaluated(network, state, train);
    Losses losses{0, 0};
    for (std::size_t first = 0; first < examples.size(); first += kRows) {
        const std::size_t rows = std::min(kRows, examples.size() - first);
        const Batch batch = examples.rows(first, rows);
        std::vector<float> logits(rows * network.vocabulary);
        model->logits(logits, {batch.X, rows * network.context});
        const LossInput<double> in{rows, network.vocabulary, {logits.begin(), logits.end()}, {batch.Y, batch.Y + rows}};
        const double share = static_cast<double>(rows) / static_cast<double>(examples.size());
        double loss = 0;
        cross_entropy_forward(&loss, in.logits.data(), batch.Y, rows, network.vocabulary);
        losses.cross_entropy += share * loss;
        squared_error_forward(&loss, probabilities(in).data(), batch.Y, rows, network.vocabulary);
        losses.squared_error += share * loss;
    }
    return losses;
}

}  // namespace

Graph network_from(Start start, const NetworkConfig& config, std::size_t rows) {
    Graph network = collapsed_graph(config, rows);
    if (start == Start::cross_entropy) {
        return network;
    }
    const std::size_t V = config.vocabulary;
    // Up to the probabilities as in small steps; then the loss, and what comes before the collapsed network's dlogits.
    StepList& forward = network.forward;
    forward.pop_back();
    const Graph stepwise = stepwise_graph(config, rows);
    const StepList& small = stepwise.forward;
    const auto after_logits = std::ranges::find(small, "logit_maxes", &Step::makes);
    const auto probs = std::ranges::find(small, "probs", &Step::makes);
    std::copy(after_logits, std::next(probs), std::back_inserter(forward));
    add(network.forward, "loss", {}, {"probs", "Y"}, BYHAND_FUNCTION(squared_error_forward), rows, V);

    StepList backward;
    if (start == Start::notes_start) {
        add(backward, "dlogits", {rows, V}, {"probs", "Y"}, BYHAND_FUNCTION(squared_error_backward), rows, V);
    } else {
        add(backward, "dprobs", {rows, V}, {"probs", "Y"}, BYHAND_FUNCTION(squared_error_backward), rows, V);
        add(backward, "dlogits", {rows, V}, {"dprobs", "probs"}, BYHAND_FUNCTION(softmax_backward), rows, V);
    }
    const StepList& rest = network.backward;
    std::copy(std::next(rest.begin()), rest.end(), std::back_inserter(backward));
    network.backward = std::move(backward);
    return network;
}

std::vector<std::size_t> curve_points(std::size_t steps) {
    std::vector<std::size_t> points = {0};
    for (std::size_t i = 1; i <= kCurvePoints; ++i) {
        if (const std::size_t at = steps * i / kCurvePoints; at > points.back()) {
            points.push_back(at);
        }
    }
    return points;
}

std::vector<std::vector<LossTrained>> train_losses(const std::vector<LossTraining>& trainings, const Recipe& recipe,
                                                   const Seeds& seeds, const Material& material,
                                                   const Setting& setting) {
    // The parts are the same for every seed: the split has a seed of its own.
    const Run run = prepare(recipe, material.names, material.where);
    const NetworkConfig& network = run.recipe.network;
    const Examples val = first_of(run.val, kCurveExamples), train = first_of(run.train, kCurveExamples);
    const std::vector<std::size_t> points = curve_points(recipe.steps);
    const std::vector<std::uint64_t> every_seed = list(seeds);

    std::vector<std::vector<LossTrained>> results(trainings.size(), std::vector<LossTrained>(every_seed.size()));
    std::vector<Training> all;
    all.reserve(trainings.size() * every_seed.size());
    for (std::size_t which = 0; which < trainings.size(); ++which) {
        for (std::size_t seed = 0; seed < every_seed.size(); ++seed) {
            LossTrained& result = results[which][seed];
            Training& training = all.emplace_back();
            training.recipe = recipe;
            training.recipe.seed = every_seed[seed];
            for (RateFrom& from : training.recipe.rates) {
                from.rate *= trainings[which].rate_factor;
            }
            training.make = [start = trainings[which].start](const NetworkConfig& config, std::size_t rows) {
                return make_step_model(network_from(start, config, rows));
            };
            training.watch = [&, &result = result](std::size_t steps, Model& model) {
                if (std::ranges::binary_search(points, steps)) {
                    result.curve.push_back(losses_on(val, train, network, model.save()));
                }
                if (steps == recipe.steps) {
                    result.final = losses_on(run.val, run.train, network, model.save());
                }
            };
        }
    }
    train_all(all, material, setting);
    for (std::vector<LossTrained>& of_seeds : results) {
        for (LossTrained& one : of_seeds) {
            one.curve.resize(points.size());
        }
    }
    return results;
}

}  // namespace byhand::lab
