// Note 4: batch norm before the non-linearity, after it, or none; ε inside the root or outside; γ and β or none.

#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/short_form.h"
#include "base/value.h"
#include "compare/compare.h"
#include "fast/models.h"
#include "harness/end_to_end/comparison.h"
#include "harness/end_to_end/summary.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/study.h"
#include "lab/training.h"

namespace byhand::lab {
namespace {

struct Variant {
    std::string words;  // "before, ε outside, no γ β"
    Recipe recipe;
};

Variant variant_of(Recipe recipe, const std::string& place, EpsilonPlace epsilon, bool affine) {
    NormConfig& norm = recipe.network.norm;
    place_norms(recipe.network.layers, place);
    norm.epsilon_place = epsilon;
    norm.affine = affine;
    return {place + (epsilon == EpsilonPlace::outside ? ", ε outside" : "") + (affine ? "" : ", no γ β"),
            std::move(recipe)};
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

// One training step by three networks by hand, from drawn γ and β, as `byhand compare` judges it; for people the
// gradient that is closest to its limit.
void add_agreement(Document& document, const std::vector<Variant>& variants, const Setup& setup) {
    Table table{"one step by hand (small steps, collapsed, fused) against LibTorch's operations and torch::nn",
                {{"", "variant"},
                 {"gradients", "gradients"},
                 {"closest", "closest"},
                 {"share of limit", "largest_share"},
                 {"verdict", "verdict"}},
                {}};
    setup.setting.progress(0, variants.size());
    for (const Variant& variant : variants) {
        const FirstStep first = first_step(variant.recipe, setup.material);
        const Recipe& recipe = first.run.recipe;
        Reference reference = reference_of(*setup.setting.torch, recipe.network, recipe.batch, recipe.seed);
        Candidates candidates = hand_candidates({"stepwise", "collapsed", "fused"}, reference, fused_candidate);
        const Schedule schedule{.batch = [&](std::size_t) { return first.batch.view(); },
                                .rate = [&](std::size_t step) { return static_cast<float>(rate_at(recipe, step)); }};
        Summary summary;
        std::size_t gradients = 0;
        double used = 0;
        std::string closest;
        run_comparison(recipe.network, first.state, schedule, candidates, reference.implementations, reference.chain,
                       [&](const ComparedStep& step) {
                           add(summary, step);
                           for (const auto& [model, against, value, result] : findings(step)) {
                               const bool is_gradient = value_of(value.name).kind == ValueKind::gradient;
                               gradients += is_gradient ? 1 : 0;
                               if (is_gradient && agrees(result.verdict) && result.used.value_or(0) > used) {
                                   used = *result.used;
                                   closest = value.name;
                               }
                           }
                       });
        setup.setting.progress(table.rows.size() + 1, variants.size());
        table.rows.push_back(
            {variant.words, whole(gradients), closest, percent(used), summary.agree ? "agrees" : "DISAGREES"});
        document.agrees = document.agrees && summary.agree;
    }
    document.data["torch"] = json_of_rows(table);
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

Document placement(const Setup& setup) {
    const Recipe& recipe = setup.recipes.front();
    Document document{"lab placement", "note 4", "Before the non-linearity, after it, or none", {}, {}, {}, true};
    const std::vector<Variant> variants = variants_of(recipe);
    document.blocks.emplace_back(Text{fmt::format(
        "The norm right before the non-linearity or right after it, ε inside the root or outside, with γ and β or "
        "without, and no norm at all: recipe {}, all else the same, ε = {}. At other rates, after more steps or in "
        "deeper networks the order may be another.",
        recipe.name, recipe.network.norm.epsilon)});
    document.blocks.emplace_back(
        Formulas{{"batchnorm_inverse_deviation", "batchnorm_variance_backward", "batchnorm_backward"}});
    if (setup.setting.torch != nullptr) {
        add_agreement(document, variants, setup);
    }
    add_training(document, variants, setup);
    return document;
}

}  // namespace

Experiment placement_experiment() {
    const auto prepare = [] { return Prepared{{}, placement}; };
    return {.name = "placement",
            .note = "note 4",
            .about = "Before the non-linearity, after it, or none",
            .networks = Networks::every_place,
            .any_activation = true,
            .seeds = 5,
            .steps = 20'000,
            .prepare = prepare};
}

}  // namespace byhand::lab
