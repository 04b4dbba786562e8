// Which ε, which momentum of the running statistics, and how small a batch may be for batch norm.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lab/claims/claims.h"
#include "lab/experiments.h"
#include "lab/study.h"

namespace byhand::lab {
namespace {

// One setting of batch norm over its values.
struct Varied {
    const char *key, *varied;
    std::vector<double> values;
    double usual = 0;                                     // one of the values, which the others are compared with
    void (*set)(Recipe& recipe, double value) = nullptr;  // of a recipe in its number of steps
    bool against_none = false;                            // compared with a network without the norm instead
};

const std::vector<Varied>& settings() {
    static const std::vector<Varied> all = {
        {"epsilon",
         "ε",
         {1e-8, 1e-5, 1e-3, 0.1, 1},
         1e-5,
         [](Recipe& recipe, double value) { recipe.network.norm.epsilon = value; }},
        {"momentum",
         "weight of the new",
         {1e-3, 1e-2, 0.1, 0.5, 1},
         0.1,
         [](Recipe& recipe, double value) {
             recipe.network.norm.momentum = value;
             recipe.network.norm.evaluation = EvaluationFigures::running;
         }},
        // Every batch size sees the same number of examples.
        {"batch",
         "rows of a batch",
         {2, 4, 8, 16, 32, 64},
         32,
         [](Recipe& recipe, double value) {
             const auto rows = static_cast<std::size_t>(value);
             recipe = in_steps(recipe, std::max<std::size_t>(1, recipe.steps * recipe.batch / rows));
             recipe.batch = rows;
         },
         true}};
    return all;
}

// Adds the validation losses over the values, and returns the claims on them.
std::vector<Claim> vary(Document& document, const Varied& setting, const TwoForms& network, const Setup& setup) {
    Study study = study_of(network, setup, setting.key, std::string("Validation loss by ") + setting.varied);
    study.varied = setting.varied;
    study.values = setting.values;
    if (!setting.against_none) {
        study.arms.resize(1);
    }
    const auto make = [&](std::size_t form, std::size_t value, std::size_t) {
        Recipe recipe = in_steps(network.forms[form], setup.steps);
        setting.set(recipe, setting.values[value]);
        return Training{.recipe = std::move(recipe)};
    };
    study.figures = figures_of(train(study, make, setup), &Trained::val);
    const auto usual = static_cast<std::size_t>(std::ranges::find(study.values, setting.usual) - study.values.begin());
    std::vector<Claim> claims;
    for (std::size_t value = 0; value < study.values.size(); ++value) {
        const std::string words = fmt::format("{:g}", study.values[value]);
        Claim claim{.name = setting.key,
                    .subject = setting.varied,
                    .sentence = words + (setting.against_none ? " rows: lower with the norm than without"
                                                              : fmt::format(" is better than {:g}", setting.usual)),
                    .measure = "Validation loss",
                    .brief = words,
                    .arms = {"it", "compared with"},
                    .first = study.at(0, value),
                    .second = setting.against_none ? study.at(1, value) : study.at(0, usual)};
        if (setting.against_none || value != usual) {
            claims.push_back(std::move(claim));
        }
    }
    add(document, {std::move(study)});
    return claims;
}

Document batch(const Setup& setup) {
    Document document{"lab batch", "notes 1, 4", "Which ε, which momentum, how small a batch", {}, {}, {}, true};
    document.blocks.emplace_back(Text{fmt::format(
        "Validation loss after {} steps on {} seeds, one setting of batch norm varied at a time. A setting is compared "
        "with the usual one, a batch size with the same network without the norm, both on the same number of examples.",
        setup.steps, setup.seeds.size())});
    document.blocks.emplace_back(
        Formulas{{"batchnorm_inverse_deviation", "running_spread_update", "batchnorm_evaluate_raw"}});
    const TwoForms network = two_forms(setup.recipes.front(), setup.material);
    std::vector<Claim> claims;
    for (const Varied& setting : settings()) {
        std::ranges::move(vary(document, setting, network, setup), std::back_inserter(claims));
    }
    add(document, claims);
    return document;
}

}  // namespace

Experiment batch_experiment() {
    const auto prepare = [] { return Prepared{{}, batch}; };
    return {.name = "batch",
            .note = "notes 1, 4",
            .about = "Which ε, which momentum, how small a batch",
            .networks = Networks::adjustable,
            .any_activation = true,
            .seeds = 5,
            .steps = 4'000,
            .prepare = prepare};
}

}  // namespace byhand::lab
