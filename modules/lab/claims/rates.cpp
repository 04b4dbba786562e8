// The claims that go by the losses of trainings: faster, larger rates, steadier, initial weights, regularised.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "fast/models.h"
#include "lab/claims/claims.h"
#include "train/losses.h"

namespace byhand::lab {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> rates() {
    constexpr int kLeastPower = -6, kMostPower = 5;
    std::vector<double> all;
    for (int power = kLeastPower; power <= kMostPower; ++power) {
        all.push_back(std::ldexp(1, power));
    }
    return all;
}

// How far from the place of the lowest, on the logarithm of x, y stays within the limit in the direction of `step`.
double reach(const std::vector<double>& x, const std::vector<double>& y, std::size_t lowest, std::ptrdiff_t step,
             double limit) {
    std::size_t at = lowest;
    for (;;) {
        const std::size_t next = at + static_cast<std::size_t>(step);  // past either end it is no index
        if (next >= x.size()) {
            return std::abs(std::log10(x[at] / x[lowest]));
        }
        if (!(y[next] <= limit)) {
            const double part = std::isfinite(y[next]) ? (limit - y[at]) / (y[next] - y[at]) : 0;
            return std::abs(std::log10(x[at] / x[lowest])) + part * std::abs(std::log10(x[next] / x[at]));
        }
        at = next;
    }
}

double mean_of(const std::vector<double>& figures) {
    return mean_and_deviation(figures).mean;
}

// ---- faster ----

// The final loss that the worse of the two forms has at its best rate: both reach it.
double common_loss(const Study& final_losses) {
    double worse = -kInfinity;
    for (std::size_t form = 0; form < 2; ++form) {
        double best = kInfinity;
        for (std::size_t rate = 0; rate < final_losses.values.size(); ++rate) {
            best = std::min(best, mean_of(final_losses.at(form, rate)));
        }
        worse = std::max(worse, best);
    }
    return worse;
}

// In evaluation mode, by the statistics of the training part.
double validation_loss(const TwoForms& network, const Recipe& recipe, const Trained& trained) {
    constexpr std::size_t kMostEvaluated = 8000;
    const std::unique_ptr<Trainable> model = make_hand_model(HandForm::fused, recipe.network, recipe.batch);
    model->load(trained.state);
    model->calibrate(network.train.first(kMostEvaluated).all().X);
    return mean_loss(*model, network.val.first(kMostEvaluated), recipe.network.vocabulary);
}

// Each form at the rate at which it reaches the common loss in the fewest steps.
Claims faster(Document& document, const TwoForms& network, const Setup& setup, const Study& final_losses,
              const std::vector<Trained>& trained) {
    const double loss = common_loss(final_losses);
    const Study steps = filled(final_losses, [&](std::size_t form, std::size_t rate, std::size_t seed) {
        return steps_to(trained[final_losses.index(form, rate, seed)], loss, setup.steps);
    });
    Claim sooner{"faster", network.name, "Training is faster with it",
                 fmt::format("Steps to a loss of {:.3f}, each form at its best rate", loss), "steps to loss"};
    Claim lower{"faster", network.name, "The validation loss is lower with it",
                "Validation loss at the end, each form at this rate", "validation"};
    Study curves = study_of(network, setup, "faster", "Loss of the minibatches at each one's best rate");
    std::vector<Trained> best_trained;
    for (std::size_t form = 0; form < 2; ++form) {
        std::size_t best = 0;
        for (std::size_t rate = 1; rate < steps.values.size(); ++rate) {
            best = mean_of(steps.at(form, rate)) < mean_of(steps.at(form, best)) ? rate : best;
        }
        (form == 0 ? sooner.first : sooner.second) = steps.at(form, best);
        curves.arms[form] += fmt::format(", rate {:.4g}", steps.values[best]);
        for (std::size_t seed = 0; seed < steps.seeds; ++seed) {
            best_trained.push_back(trained[steps.index(form, best, seed)]);
            (form == 0 ? lower.first : lower.second)
                .push_back(validation_loss(network, network.forms[form], best_trained.back()));
        }
    }
    sooner.arms = lower.arms = final_losses.arms;
    add(document, {loss_curves(std::move(curves), best_trained)});
    return {std::move(sooner), std::move(lower)};
}

// ---- steadier ----

// At the rates at which every training of both forms ends below the limit. None if there is no such rate.
std::optional<Claim> steadier(Document& document, const TwoForms& network, const Study& final_losses,
                              const std::vector<Trained>& trained, double limit) {
    Study study = final_losses;
    study.key = "steadier_" + network.name;
    study.title = "Deviation of the minibatch losses by learning rate, " + network.name;
    study.figures = figures_of(trained, &Trained::late_deviation);
    std::vector<std::size_t> common;  // of the rates
    for (std::size_t rate = 0; rate < study.values.size(); ++rate) {
        const auto trains = [&](std::size_t form) {
            return std::ranges::all_of(final_losses.at(form, rate), [limit](double loss) { return loss < limit; });
        };
        if (trains(0) && trains(1)) {
            common.push_back(rate);
        }
    }
    add(document, {study});
    if (common.empty()) {
        return std::nullopt;
    }
    return claim_on(study,
                    {"steadier", network.name, "Training is steadier with it",
                     fmt::format("Deviation of the minibatch losses over the last half of the steps, mean of the {} "
                                 "at which both forms end below a loss of {:.3f} on every seed",
                                 common.size() == 1 ? "rate" : fmt::format("{} rates", common.size()), limit),
                     "deviation"},
                    [&](const std::vector<double>& deviations) {
                        return mean_of(figures_of(common, [&](std::size_t rate) { return deviations[rate]; }));
                    });
}

// ---- regularised ----

// A network that can learn its names by heart to some degree: wider, and a twentieth of the names to train on.
constexpr std::size_t kWiderEmbedding = 5, kWiderHidden = 2;
constexpr double kTrainingPart = 0.05, kValidationPart = 0.2;
// Every batch size sees the same number of examples: this many a step of the other trainings.
constexpr std::size_t kExamplesPerStep = 64;

Recipe overfitting(Recipe recipe, std::size_t batch) {
    recipe.network.embedding *= kWiderEmbedding;
    for (OperationConfig* linear : hidden_linears(recipe.network)) {
        linear->outputs *= kWiderHidden;
    }
    recipe.first_cut = kTrainingPart;
    recipe.second_cut = kTrainingPart + kValidationPart;
    recipe.network.norm.evaluation = EvaluationFigures::training_set;
    recipe.steps = recipe.steps * kExamplesPerStep / batch;
    recipe.batch = batch;
    return recipe;
}

}  // namespace

Claims by_rates(Document& document, const TwoForms& network, const Setup& setup, const ClaimsOptions& options) {
    if (!options.wants("rates") && !options.wants("faster") && !options.wants("steadier")) {
        return {};
    }
    Study study = study_of(network, setup, "rates", "Final loss by learning rate, where it is below that of guessing");
    study.varied = "learning rate";
    study.values = rates();
    const std::size_t V = network.forms[0].network.vocabulary;
    study.largest_plotted = std::log(static_cast<double>(V));
    const std::vector<Trained> trained = train(
        study,
        [&](std::size_t form, std::size_t rate, std::size_t) {
            return for_its_curve(recipe_for(network, form, setup, study.values[rate]));
        },
        setup);
    study.figures = figures_of(trained, final_loss);
    const double limit = frequency_loss(network.train.all().Y, network.val.all().Y, V);
    Claims claims;
    if (options.wants("rates")) {
        add(document, {study});
        claims.push_back(claim_on(
            study,
            {"rates", network.name, "It allows larger learning rates",
             fmt::format("Largest rate that ends below a loss of {:.3f}, that of the letters' frequencies", limit),
             "largest rate", Better::larger},
            [&](const std::vector<double>& losses) { return largest_below(study.values, losses, limit); }));
    }
    if (options.wants("faster")) {
        std::ranges::move(faster(document, network, setup, study, trained), std::back_inserter(claims));
    }
    if (options.wants("steadier")) {
        if (auto claim = steadier(document, network, study, trained, limit)) {
            claims.push_back(std::move(*claim));
        }
    }
    return claims;
}

Claims initial_weights(Document& document, const TwoForms& network, const Setup& setup) {
    constexpr double kTolerance = 0.05;  // nats
    Study study = study_of(network, setup, "weights", "Final loss by the scale of the initial weights");
    study.varied = "factor";
    study.values = {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30};
    const auto make = [&](std::size_t form, std::size_t value, std::size_t) {
        Training training = for_its_curve(recipe_for(network, form, setup));
        training.prepare = [evaluate_little = training.prepare, factor = study.values[value]](Run& run) {
            evaluate_little(run);
            for (const Layer& layer : layers(run.recipe.network)) {
                for (float& weight : layer.is_output ? std::span<float>() : run.initial[layer.W()]) {
                    weight *= static_cast<float>(factor);
                }
            }
        };
        return training;
    };
    study.figures = figures_of(train(study, make, setup), final_loss);
    add(document, {study});
    return {
        claim_on(study,
                 {"weights", network.name, "It depends less on the initial weights",
                  fmt::format("Decades of a factor on the hidden weights within {} nats of the best loss", kTolerance),
                  "decades", Better::larger},
                 [&](const std::vector<double>& losses) { return decades_within(study.values, losses, kTolerance); })};
}

Claims regularised(Document& document, const TwoForms& network, const Setup& setup) {
    Study gaps = study_of(network, setup, "regularised", "Validation minus training loss");
    gaps.varied = "batch size";
    gaps.values = {4, 8, 32, 128};
    const auto make = [&](std::size_t form, std::size_t batch, std::size_t) {
        return Training{
            .recipe = overfitting(recipe_for(network, form, setup), static_cast<std::size_t>(gaps.values[batch]))};
    };
    const std::vector<Trained> trained = train(gaps, make, setup);
    gaps.figures = figures_of(trained, [](const Trained& one) { return one.val - one.train; });
    Study losses = gaps;
    losses.figures = figures_of(trained, &Trained::val);
    add(document, {gaps});
    const std::string where = fmt::format(", mean of the batch sizes; {} times as wide, on {:.0f} % of the names",
                                          kWiderHidden, 100 * kTrainingPart);
    return {claim_on(gaps,
                     {"regularised", network.name, "It regularises slightly", "Validation minus training loss" + where,
                      "val − train"},
                     mean_of),
            claim_on(losses,
                     {"regularised", network.name, "It regularises slightly", "Validation loss" + where, "val loss"},
                     mean_of)};
}

double final_loss(const Trained& trained) {
    constexpr std::size_t kPart = 5;
    const std::vector<double>& curve = trained.curve;
    if (!trained.finite || curve.empty()) {
        return kInfinity;
    }
    const std::size_t last = std::max<std::size_t>(1, curve.size() / kPart);
    return std::accumulate(curve.end() - static_cast<std::ptrdiff_t>(last), curve.end(), 0.0) /
           static_cast<double>(last);
}

double steps_to(const Trained& trained, double loss, std::size_t all) {
    const auto reached = std::ranges::find_if(trained.curve, [loss](double window) { return window <= loss; });
    return trained.finite && reached != trained.curve.end()
               ? static_cast<double>((reached - trained.curve.begin() + 1) * static_cast<std::ptrdiff_t>(kWindow))
               : static_cast<double>(all);
}

double largest_below(const std::vector<double>& x, const std::vector<double>& y, double limit) {
    for (std::size_t i = x.size(); i-- > 0;) {
        if (y[i] < limit) {
            return x[i];
        }
    }
    return 0;
}

double decades_within(const std::vector<double>& x, const std::vector<double>& y, double tolerance) {
    const auto lowest = static_cast<std::size_t>(std::ranges::min_element(y) - y.begin());
    if (!std::isfinite(y[lowest])) {
        return 0;
    }
    const double limit = y[lowest] + tolerance;
    return reach(x, y, lowest, -1, limit) + reach(x, y, lowest, 1, limit);
}

double frequency_loss(const std::vector<std::int64_t>& train, const std::vector<std::int64_t>& characters,
                      std::size_t vocabulary) {
    std::vector<double> counts(vocabulary, 1);
    for (const std::int64_t character : train) {
        ++counts[static_cast<std::size_t>(character)];
    }
    const auto all = static_cast<double>(train.size() + vocabulary);
    double sum = 0;
    for (const std::int64_t character : characters) {
        sum -= std::log(counts[static_cast<std::size_t>(character)] / all);
    }
    return sum / static_cast<double>(characters.size());
}

}  // namespace byhand::lab
