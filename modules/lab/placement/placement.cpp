#include "lab/placement/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "base/short_form.h"
#include "base/value.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/first_step.h"
#include "lab/study.h"
#include "lab/training.h"
#include "report/rows.h"

namespace byhand::lab {
namespace {

struct Variant {
    std::string key;    // in the JSON: "before", "before_outside_plain"
    std::string words;  // "before, ε outside, no γ β"
    Recipe recipe;
};

Variant variant_of(Recipe recipe, const std::string& place, EpsilonPlace epsilon, bool affine) {
    NormConfig& norm = recipe.network.norm;
    place_norms(recipe.network.layers, place);
    norm.epsilon_place = epsilon;
    norm.affine = affine;
    const bool outside = epsilon == EpsilonPlace::outside;
    return {place + (outside ? "_outside" : "") + (affine ? "" : "_plain"),
            place + (outside ? ", ε outside" : "") + (affine ? "" : ", no γ β"), std::move(recipe)};
}

// By their places in variants_of.
enum Place : std::size_t { kBefore, kAfter, kNone, kBeforeOutside, kBeforePlain, kAfterOutside, kAfterPlain };

std::vector<Variant> variants_of(const Recipe& recipe) {
    using enum EpsilonPlace;
    std::vector<Variant> all;
    for (const char* place : {"before", "after", "none"}) {
        all.push_back(variant_of(recipe, place, inside, true));
    }
    for (const char* place : {"before", "after"}) {
        all.push_back(variant_of(recipe, place, outside, true));
        all.push_back(variant_of(recipe, place, inside, false));
    }
    for (const char* place : {"before", "after"}) {
        all.push_back(variant_of(recipe, place, outside, false));
    }
    return all;
}

// ---- one step against LibTorch ----

struct AgainstTorch {
    Table gradients{"", {"name", "model", "witness", "used", "verdict"}, {}};  // each by three networks, two references
    double used = 0;                                                           // the largest share of a limit
    std::string closest;                                                       // whose
    Summary summary;
};

AgainstTorch against_torch(const Variant& variant, const Material& material, const torch_ref::Factory& torch) {
    const Held held =
        hold_against_torch(torch, first_step(variant.recipe, material), {"stepwise", "collapsed", "fused"});
    AgainstTorch found;
    found.summary = held.summary;
    for (const auto& [model, against, value, result] : findings(held.step)) {
        if (value_of(value.name).kind != ValueKind::gradient) {
            continue;
        }
        found.gradients.rows.push_back({value.name, model.model, to_string(against),
                                        percent(result.used.value_or(std::numeric_limits<double>::quiet_NaN())),
                                        to_string(result.verdict)});
        if (agrees(result.verdict) && result.used.value_or(0) > found.used) {
            found.used = *result.used;
            found.closest = value.name;
        }
    }
    return found;
}

void add_agreement(Document& document, const std::vector<Variant>& variants, const Material& material,
                   const Setting& setting) {
    document.blocks.emplace_back(
        Text{"One training step of each by hand (the small steps, the collapsed formulas, the fused kernels) beside "
             "LibTorch's operations and torch::nn, as byhand compare does it; γ and β drawn. The share is of the limit "
             "of rounding in float."});
    Table table{"each variant against LibTorch", {"", "gradients", "closest", "share of limit", "verdict"}, {}};
    std::size_t done = 0;
    setting.progress(done, variants.size());
    for (const Variant& variant : variants) {
        const AgainstTorch found = against_torch(variant, material, *setting.torch);
        setting.progress(++done, variants.size());
        table.rows.push_back({variant.words, whole(found.gradients.rows.size()), found.closest, percent(found.used),
                              found.summary.agree ? "agrees" : "DISAGREES"});
        document.agrees = document.agrees && found.summary.agree;
        document.data[variant.key]["torch"] = {{"agrees", found.summary.agree},
                                               {"tensors", found.summary.compared},
                                               {"largest_share", found.used},
                                               {"gradients", json_of_rows(found.gradients)}};
    }
    document.blocks.emplace_back(std::move(table));
}

// ---- training ----

// One variant against another, by its place.
struct Comparison {
    const char *sentence, *brief;
    Place first, second;
};
constexpr std::array kComparisons = {
    Comparison{"The norm before the non-linearity lowers the loss", "before, none", kBefore, kNone},
    Comparison{"The norm after the non-linearity lowers the loss", "after, none", kAfter, kNone},
    Comparison{"After the non-linearity is better than before it", "after, before", kAfter, kBefore},
    Comparison{"ε outside the root is better, before", "ε outside", kBeforeOutside, kBefore},
    Comparison{"ε outside the root is better, after", "ε outside", kAfterOutside, kAfter},
    Comparison{"γ and β lower the loss, before", "γ and β", kBefore, kBeforePlain},
    Comparison{"γ and β lower the loss, after", "γ and β", kAfter, kAfterPlain}};

void add_training(Document& document, const std::vector<Variant>& variants, const Setup& setup) {
    Study train_loss{.key = "train",
                     .title = fmt::format("trained for {} steps: mean ± deviation over {} seeds, in nats", setup.steps,
                                          setup.seeds.size()),
                     .arms = {},
                     .seeds = setup.seeds.size(),
                     .measure = "training loss",
                     .decimals = 4};
    for (const Variant& variant : variants) {
        train_loss.arms.push_back(variant.words);
    }
    const auto make = [&](std::size_t arm, std::size_t, std::size_t) {
        return Training{.recipe = in_steps(variants[arm].recipe, setup.steps)};
    };
    const std::vector<Trained> trained = train(train_loss, make, setup);
    train_loss.figures = figures_of(trained, &Trained::train);
    Study val_loss = train_loss, curves = train_loss;
    val_loss.key = "val";
    val_loss.measure = "validation loss";
    val_loss.figures = figures_of(trained, &Trained::val);
    curves.key = "curves";
    curves.title = "Minibatch loss in training";
    add(document, {train_loss, val_loss});
    add(document, {loss_curves(std::move(curves), trained)});
    std::vector<Claim> claims;
    claims.reserve(std::size(kComparisons));
    for (const auto& [sentence, brief, first, second] : kComparisons) {
        claims.push_back({.name = "placement",
                          .subject = "",
                          .sentence = sentence,
                          .measure = "Validation loss",
                          .brief = brief,
                          .arms = {variants[first].words, variants[second].words},
                          .first = val_loss.at(first),
                          .second = val_loss.at(second)});
    }
    add(document, claims);
}

}  // namespace

Experiment placement_experiment() {
    return {.name = "placement",
            .note = "note 4",
            .about = "Before the non-linearity, after it, or none",
            .networks = Networks::every_place,
            .seeds = 5,
            .steps = 20'000,
            .prepare = prepared<placement>};
}

Document placement(const Setup& setup) {
    const Recipe& recipe = setup.recipes.front();
    Document document{"lab placement", "note 4", "Before the non-linearity, after it, or none", {}, {}, {}, true};
    const std::vector<Variant> variants = variants_of(recipe);
    document.blocks.emplace_back(Text{fmt::format(
        "The norm right before the non-linearity or right after it, ε inside the root or outside, with γ and β or "
        "without, and no norm at all: recipe {}, the same initial weights (a seed each), batches and learning rates, "
        "ε = {}. At other rates, after more steps or in deeper networks the order may be another.",
        recipe.name, recipe.network.norm.epsilon)});
    document.blocks.emplace_back(
        Formulas{{"batchnorm_inverse_deviation", "batchnorm_variance_backward", "batchnorm_backward"}});
    if (setup.setting.torch != nullptr) {
        add_agreement(document, variants, setup.material, setup.setting);
    }
    add_training(document, variants, setup);
    return document;
}

}  // namespace byhand::lab
