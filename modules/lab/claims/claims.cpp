#include "lab/claims/claims.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "base/error.h"
#include "base/short_form.h"

namespace byhand::lab {
namespace {

// A claim that has trainings of its own.
struct ClaimSource {
    const char* claim;
    Claims (*measure)(Document& document, const TwoForms& network, const Setup& setup);
    bool first_network_only;
};
constexpr std::array kSources = {
    ClaimSource{"weights", initial_weights, false}, ClaimSource{"regularised", regularised, true},
    ClaimSource{"inputs", steadier_inputs, false}, ClaimSource{"shift", shifted_data, true}};

// Every bias, 0 at first if the recipe does not say how it begins.
void add_biases(Recipe& recipe) {
    for (OperationConfig& one : recipe.network.layers) {
        one.bias = true;
    }
    for (const LayerSet layers : {LayerSet::hidden, LayerSet::output}) {
        const auto covers = [layers](const InitialRule& rule) {
            return rule.parameter == "b" && (rule.layers == LayerSet::all || rule.layers == layers);
        };
        if (std::ranges::none_of(recipe.initial, covers)) {
            recipe.initial.push_back({.parameter = "b", .layers = layers, .normal = {}});
        }
    }
}

}  // namespace

std::vector<std::string> claim_names() {
    std::vector<std::string> names = {"faster", "rates", "steadier"};
    std::ranges::transform(kSources, std::back_inserter(names), &ClaimSource::claim);
    return names;
}

bool ClaimsOptions::wants(const std::string& claim) const {
    return claims.empty() || std::ranges::find(claims, claim) != claims.end();
}

std::vector<OwnOption> ClaimsOptions::own() {
    return {{.name = "--claim",
             .about = "Only these claims, separated by commas",
             .value = &claims,
             .words = claim_names()}};
}

TwoForms two_forms(Recipe recipe, const Material& material) {
    Run run = prepare(std::move(recipe), material.names, material.where);
    TwoForms network{run.recipe.name, {run.recipe, run.recipe}, std::move(run.train), std::move(run.val)};
    if (layers_with_norm(network.forms[0].network).empty()) {
        place_norms(network.forms[0].network.layers, "before");
    }
    place_norms(network.forms[1].network.layers, "none");
    add_biases(network.forms[1]);
    return network;
}

Study study_of(const TwoForms& network, const Setup& setup, std::string key, const std::string& title) {
    return {.key = std::move(key) + "_" + network.name,
            .title = title + ", " + network.name,
            .arms = {"with norm", "without"},
            .seeds = setup.seeds.size(),
            .measure = "nats"};
}

Recipe recipe_for(const TwoForms& network, std::size_t form, const Setup& setup, const std::optional<double>& rate) {
    Recipe recipe = network.forms[form];
    recipe.steps = setup.steps;
    recipe.rates = {{0, rate.value_or(rate_at(recipe, 0))}};
    return recipe;
}

Training for_its_curve(Recipe recipe) {
    recipe.network.norm.evaluation = EvaluationFigures::running;
    Training training{.recipe = std::move(recipe)};
    training.prepare = [](Run& run) { run.val = run.val.first(1); };
    return training;
}

Experiment claims_experiment() {
    return {.name = "claims",
            .note = "note 4",
            .about = "Faster, larger rates, regularised, steadier?",
            .networks = Networks::adjustable,
            .seeds = 5,
            .steps = 4'000,
            .second_recipe = "makemore-deep",
            .prepare = [] { return prepared(claims); }};
}

Document claims(const ClaimsOptions& options, const Setup& setup) {
    if (setup.steps < kFewestClaimSteps) {
        throw InputError(fmt::format("--steps: a training of the claims has at least {} steps", kFewestClaimSteps));
    }
    Document document{"lab claims", "note 4", "What batch norm buys", {}, {}, {}, true};
    document.blocks.emplace_back(
        Text{fmt::format("Note 4's claims, measured with the norm and without, all else the same. Figures are means "
                         "over {} seeds ± the standard deviation.",
                         setup.seeds.size())});
    document.blocks.emplace_back(Formulas{
        {"batchnorm_normalise", "batchnorm_scale_shift", "batchnorm_affine_backward", "batchnorm_evaluate_raw"}});
    std::vector<TwoForms> networks;
    networks.reserve(setup.recipes.size());
    for (const Recipe& recipe : setup.recipes) {
        networks.push_back(two_forms(recipe, setup.material));
    }
    Claims all;
    const auto append = [&all](Claims claims) { std::ranges::move(claims, std::back_inserter(all)); };
    for (const TwoForms& network : networks) {
        append(by_rates(document, network, setup, options));
        for (const ClaimSource& part : kSources) {
            if (options.wants(part.claim) && (!part.first_network_only || &network == &networks.front())) {
                append(part.measure(document, network, setup));
            }
        }
    }
    add(document, all);
    return document;
}

}  // namespace byhand::lab
