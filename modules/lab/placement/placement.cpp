#include "lab/placement/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/value.h"
#include "lab/agreement.h"
#include "lab/figures.h"
#include "lab/first_step.h"
#include "lab/training.h"
#include "report/rows.h"

namespace byhand::lab {
namespace {

struct Variant {
    std::string key;    // in the JSON: "before", "before_outside_plain"
    std::string words;  // "before, ε outside, no γ β"
    Recipe recipe;
};

Variant variant_of(Recipe recipe, NormPlace place, EpsilonPlace epsilon, bool affine) {
    NormConfig& norm = recipe.network.norm;
    norm.place = place;
    norm.epsilon_place = epsilon;
    norm.affine = affine;
    const bool outside = epsilon == EpsilonPlace::outside;
    const std::string name = place == NormPlace::before ? "before" : place == NormPlace::after ? "after" : "none";
    return {name + (outside ? "_outside" : "") + (affine ? "" : "_plain"),
            name + (outside ? ", ε outside" : "") + (affine ? "" : ", no γ β"), std::move(recipe)};
}

// Before, after and none, with ε inside and γ and β, come first.
constexpr std::size_t kPlaces = 3;

std::vector<Variant> variants_of(const Recipe& recipe) {
    using enum NormPlace;
    using enum EpsilonPlace;
    std::vector<Variant> all;
    for (const NormPlace place : {before, after, none}) {
        all.push_back(variant_of(recipe, place, inside, true));
    }
    for (const NormPlace place : {before, after}) {
        all.push_back(variant_of(recipe, place, outside, true));
        all.push_back(variant_of(recipe, place, inside, false));
        all.push_back(variant_of(recipe, place, outside, false));
    }
    return all;
}

// ---- one step against LibTorch ----

struct AgainstTorch {
    Table gradients{"", {"name", "model", "witness", "used", "verdict"}, {}};  // each by three networks, two references
    double used = 0;                                                           // the largest share of a limit
    std::string closest;                                                       // whose
    std::map<std::string, double> shares;                                      // of each that agrees, the largest
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
        if (agrees(result.verdict)) {
            double& share = found.shares[value.name];
            share = std::max(share, result.used.value_or(0));
            if (share > found.used) {
                found.used = share;
                found.closest = value.name;
            }
        }
    }
    return found;
}

// The parameters' gradients of the three places.
Table gradients_table(const std::vector<Variant>& variants, const std::vector<AgainstTorch>& found) {
    Table table{"the parameters' gradients: the largest share of a limit", {""}, {}};
    std::vector<std::string> names;
    for (std::size_t v = 0; v < kPlaces; ++v) {
        table.columns.emplace_back(variants[v].words);
        for (const TensorSpec& spec : parameters(variants[v].recipe.network)) {
            const std::string name = gradient_of(spec.name);
            if (std::ranges::find(names, name) == names.end()) {
                names.push_back(name);
            }
        }
    }
    for (const std::string& name : names) {
        std::vector<Cell>& row = table.rows.emplace_back(std::vector<Cell>{name});
        for (std::size_t v = 0; v < kPlaces; ++v) {
            const auto share = found[v].shares.find(name);
            row.push_back(share == found[v].shares.end() ? Cell("–") : percent(share->second));
        }
    }
    return table;
}

void add_agreement(Document& document, const std::vector<Variant>& variants, const Material& material,
                   const Setting& setting) {
    document.blocks.emplace_back(
        Text{"One training step of each by hand (the small steps, the collapsed formulas, the fused kernels) beside "
             "LibTorch's operations and torch::nn, as byhand compare does it; γ and β drawn. The share is of the limit "
             "of rounding in float. (A dash: missing, or nothing but rounding, as the gradient of a bias that the norm "
             "takes out again.)"});
    Table table{"each variant against LibTorch", {"", "gradients", "closest", "share of limit", "verdict"}, {}};
    std::vector<AgainstTorch> all;
    setting.progress(0, variants.size());
    for (const Variant& variant : variants) {
        const AgainstTorch& found = all.emplace_back(against_torch(variant, material, *setting.torch));
        setting.progress(all.size(), variants.size());
        table.rows.push_back({variant.words, whole(found.gradients.rows.size()), found.closest, percent(found.used),
                              found.summary.agree ? "agrees" : "DISAGREES"});
        document.agrees = document.agrees && found.summary.agree;
        document.data[variant.key]["torch"] = {{"agrees", found.summary.agree},
                                               {"tensors", found.summary.compared},
                                               {"largest_share", found.used},
                                               {"gradients", json_of_rows(found.gradients)}};
    }
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(gradients_table(variants, all));
}

// ---- training ----

// Of the seeds of a variant.
struct Losses {
    std::vector<double> train, val;
};

// The minibatch losses of a variant over its seeds, some windows of the curve taken together.
Series curve_of(const std::string& name, std::span<const Trained> seeds) {
    constexpr std::size_t kPoints = 50;
    const auto by_length = [](const Trained& one) { return one.curve.size(); };
    // Shorter where a loss was not finite.
    const std::size_t windows = std::ranges::min_element(seeds, {}, by_length)->curve.size();
    const std::size_t together = std::max<std::size_t>(1, windows / kPoints);
    const std::vector<double> steps = curve_steps(seeds.front());
    std::vector<double> x;
    std::vector<std::vector<double>> y;
    for (std::size_t from = 0; from + together <= windows; from += together) {
        x.push_back((steps[from] + steps[from + together - 1]) / 2);
        y.push_back(figures_of(seeds, [&](const Trained& one) {
            const auto begin = one.curve.begin() + static_cast<std::ptrdiff_t>(from);
            return mean_and_deviation({begin, begin + static_cast<std::ptrdiff_t>(together)}).mean;
        }));
    }
    Series series = band(name, x, y);
    series.style = Style::line;
    return series;
}

Json json_of(const Losses& losses) {
    const MeanAndDeviation train = mean_and_deviation(losses.train), val = mean_and_deviation(losses.val);
    Json seeds = Json::array();
    for (std::size_t s = 0; s < losses.val.size(); ++s) {
        seeds.push_back({{"train", number(losses.train[s])}, {"val", number(losses.val[s])}});
    }
    return {{"train", number(train.mean)},
            {"val", number(val.mean)},
            {"train_deviation", number(train.deviation)},
            {"val_deviation", number(val.deviation)},
            {"seeds", std::move(seeds)}};
}

std::size_t best_place(const std::vector<Losses>& losses) {
    const auto mean = [&](std::size_t v) { return mean_and_deviation(losses[v].val).mean; };
    std::size_t best = 0;
    for (std::size_t v = 1; v < kPlaces; ++v) {
        best = mean(v) < mean(best) || !std::isfinite(mean(best)) ? v : best;
    }
    return best;
}

// The places beside the best of them, the variants of a place beside it.
Table compared_table(const std::vector<Variant>& variants, const std::vector<Losses>& losses) {
    const std::size_t best = best_place(losses);
    Table table{"validation losses compared, seed by seed",
                {"",
                 "less that of",
                 "difference",
                 "deviations",
                 "clear",
                 {"mean", "mean", Align::hidden},
                 {"its deviation", "deviation", Align::hidden}},
                {}};
    for (std::size_t v = 0; v < variants.size(); ++v) {
        const bool is_before = variants[v].recipe.network.norm.place == NormPlace::before;
        const std::size_t other = v < kPlaces ? best : is_before ? 0 : 1;
        if (v == other) {
            continue;
        }
        const std::vector<double> seeds = differences(losses[v].val, losses[other].val);
        const MeanAndDeviation of = mean_and_deviation(seeds);
        table.rows.push_back({variants[v].words, variants[other].words,
                              fmt::format("{:+.2g} ± {:.1g}", of.mean, of.deviation),
                              seeds.size() > 1 ? fixed(std::abs(of.mean) / of.deviation, 1) : Cell("–"),
                              is_clear(seeds) ? "yes" : "no", significant(of.mean, 3), significant(of.deviation, 2)});
    }
    return table;
}

void add_training(Document& document, const std::vector<Variant>& variants, const PlacementOptions& options,
                  const Material& material, const Setting& setting) {
    const std::size_t seeds = options.seeds.count;
    std::vector<Training> trainings;
    for (const Variant& variant : variants) {
        for (const std::uint64_t seed : list(options.seeds)) {
            trainings.push_back({.recipe = in_steps(variant.recipe, options.steps)});
            trainings.back().recipe.seed = seed;
        }
    }
    const std::vector<Trained> trained = train_all(trainings, material, setting);
    std::vector<Losses> losses;
    Table table{fmt::format("trained for {} steps: mean ± deviation over {} seed{}, in nats", options.steps, seeds,
                            seeds == 1 ? "" : "s"),
                {"norm", "training loss", "validation loss"},
                {}};
    document.plots = {{"Minibatch loss in training: the three places", "step", "nats", {}},
                      {"Minibatch loss in training: the other variants", "step", "nats", {}}};
    for (std::size_t v = 0; v < variants.size(); ++v) {
        const std::span<const Trained> of = std::span(trained).subspan(v * seeds, seeds);
        const Losses& own = losses.emplace_back(Losses{figures_of(of, &Trained::train), figures_of(of, &Trained::val)});
        table.rows.push_back({variants[v].words, with_spread(own.train, 4), with_spread(own.val, 4)});
        document.data[variants[v].key].update(json_of(own));
        document.plots[v < kPlaces ? 0 : 1].series.push_back(curve_of(variants[v].words, of));
    }
    document.data["best"] = variants[best_place(losses)].key;
    const Table compared = compared_table(variants, losses);
    document.data["compared"] = json_of_rows(compared);
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(compared);
    document.blocks.emplace_back(Text{
        "The places are compared with the one of lowest validation loss, their variants with the place. The same seed "
        "gives the same batches, so the differences are taken seed by seed; a difference is clear if it exceeds two of "
        "their standard deviations. All have one schedule of learning rates: at other rates, after more steps or in "
        "deeper networks the order may be another (byhand lab claims; --steps, --recipe makemore-deep)."});
}

}  // namespace

Document placement(const PlacementOptions& options, const Material& material, const Setting& setting) {
    Document document{"lab placement", "note 4", "Before the non-linearity, after it, or none", {}, {}, {}, true};
    const std::vector<Variant> variants = variants_of(options.recipe);
    document.blocks.emplace_back(Text{fmt::format(
        "The note draws the norm right before the non-linearity or right after it and says that both are used; it "
        "divides by σ + ε or by √(σ² + ε); note 1 calls γ and β not needed, but used in most cases. Below each of "
        "them, and no norm at all: with the recipe {}, the same initial weights (a seed each), batches and learning "
        "rates, ε = {} wherever it stands.",
        options.recipe.name, options.recipe.network.norm.epsilon)});
    document.blocks.emplace_back(
        Formulas{{"batchnorm_inverse_deviation", "batchnorm_variance_backward", "batchnorm_backward"}});
    for (const Variant& variant : variants) {
        document.data[variant.key] = Json::object();
    }
    if (setting.torch != nullptr) {
        add_agreement(document, variants, material, setting);
    }
    add_training(document, variants, options, material, setting);
    return document;
}

}  // namespace byhand::lab
