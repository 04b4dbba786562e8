#include "lab/placement/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/json.h"
#include "lab/figures.h"
#include "lab/paired.h"
#include "lab/placement/variants.h"
#include "lab/shortened.h"
#include "lab/training.h"

namespace byhand::lab {
namespace {

struct Losses {
    std::vector<double> train, val;  // a seed each
};

Losses losses_of(const std::vector<Trained>& seeds) {
    Losses losses;
    losses.train.reserve(seeds.size());
    losses.val.reserve(seeds.size());
    for (const Trained& one : seeds) {
        losses.train.push_back(one.train);
        losses.val.push_back(one.val);
    }
    return losses;
}

// The minibatch losses of a variant: mean and spread over its seeds, some windows of the curve taken together.
Series curve_of(const std::string& name, const std::vector<Trained>& seeds) {
    constexpr std::size_t kPoints = 50;
    std::size_t windows = seeds.front().curve.size();
    for (const Trained& one : seeds) {
        windows = std::min(windows, one.curve.size());  // shorter where a loss was not finite
    }
    const std::size_t together = std::max<std::size_t>(1, windows / kPoints);
    const std::vector<double> steps = curve_steps(seeds.front());
    Series series{name, {}, {}, {}, {}, Style::line};
    for (std::size_t from = 0; from + together <= windows; from += together) {
        std::vector<double> each;
        each.reserve(seeds.size());
        for (const Trained& one : seeds) {
            const auto begin = one.curve.begin() + static_cast<std::ptrdiff_t>(from);
            each.push_back(mean_and_deviation({begin, begin + static_cast<std::ptrdiff_t>(together)}).mean);
        }
        const MeanAndDeviation of = mean_and_deviation(each);
        series.x.push_back((steps[from] + steps[from + together - 1]) / 2);
        series.y.push_back(of.mean);
        series.low.push_back(of.mean - of.deviation);
        series.high.push_back(of.mean + of.deviation);
    }
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

double mean_val(const Losses& losses) {
    return mean_and_deviation(losses.val).mean;
}

std::size_t best_place(const std::vector<Losses>& losses) {
    std::size_t best = 0;
    for (std::size_t v = 1; v < kPlaces; ++v) {
        if (mean_val(losses[v]) < mean_val(losses[best]) || !std::isfinite(mean_val(losses[best]))) {
            best = v;
        }
    }
    return best;
}

// What a variant is compared with: the best place; the variants of a place, with the place itself.
std::size_t beside(const std::vector<Variant>& variants, std::size_t v, std::size_t best) {
    if (v < kPlaces) {
        return best;
    }
    return variants[v].recipe.network.norm.place == variants[0].recipe.network.norm.place ? 0 : 1;
}

Table apart_table(const std::vector<Variant>& variants, const std::vector<Losses>& losses) {
    const std::size_t best = best_place(losses);
    Table table{
        "validation losses compared, seed by seed", {"", "less that of", "difference", "deviations", "clear"}, {}};
    for (std::size_t v = 0; v < variants.size(); ++v) {
        const std::size_t other = beside(variants, v, best);
        if (v == other) {
            continue;
        }
        const std::vector<double> apart = differences(losses[v].val, losses[other].val);
        const MeanAndDeviation of = mean_and_deviation(apart);
        table.rows.push_back({variants[v].words, variants[other].words,
                              fmt::format("{:+.2g} ± {:.1g}", of.mean, of.deviation),
                              apart.size() > 1 ? fixed(std::abs(of.mean) / of.deviation, 1) : Cell("–"),
                              is_clear(apart) ? "yes" : "no"});
    }
    return table;
}

std::string verdict(const std::vector<Variant>& variants, const std::vector<Losses>& losses) {
    const std::size_t best = best_place(losses);
    std::string words = fmt::format("Of the three places \"{}\" has the lowest validation loss.", variants[best].words);
    for (std::size_t v = 0; v < kPlaces; ++v) {
        const std::vector<double> apart = differences(losses[v].val, losses[best].val);
        if (v != best) {
            words += fmt::format(" That of \"{}\" is {}{}.", variants[v].words, higher_or_lower(apart),
                                 is_clear(apart) ? "" : ": not clear");
        }
    }
    return words +
           " The same seed gives the same batches, so the differences are taken seed by seed; clear is what "
           "exceeds two of their standard deviations. All have one schedule of learning rates: at other rates, "
           "after more steps or in deeper networks the order may be another (byhand lab claims; --steps, "
           "--recipe makemore-deep).";
}

void plot(Document& document, const std::vector<Variant>& variants, const std::vector<std::vector<Trained>>& trained) {
    Plot places{"Minibatch loss in training: the three places", "step", "nats", {}, false, false, false};
    Plot others{"Minibatch loss in training: the other variants", "step", "nats", {}, false, false, false};
    for (std::size_t v = 0; v < variants.size(); ++v) {
        (v < kPlaces ? places : others).series.push_back(curve_of(variants[v].words, trained[v]));
    }
    document.plots = {std::move(places), std::move(others)};
}

void tell_training(Document& document, const std::vector<Variant>& variants, const PlacementOptions& options,
                   const Material& material, const Setting& setting) {
    const std::vector<std::uint64_t> seeds = list(options.seeds);
    std::vector<Training> trainings;
    trainings.reserve(variants.size() * seeds.size());
    for (const Variant& variant : variants) {
        for (const std::uint64_t seed : seeds) {
            Training training{in_steps(variant.recipe, options.steps), {}, {}, {}};
            training.recipe.seed = seed;
            trainings.push_back(std::move(training));
        }
    }
    const std::vector<Trained> all = train_all(trainings, material, setting);
    std::vector<std::vector<Trained>> trained;
    std::vector<Losses> losses;
    Table table{fmt::format("trained for {} steps: mean ± deviation over {} seed{}, in nats", options.steps,
                            seeds.size(), seeds.size() == 1 ? "" : "s"),
                {"norm", "training loss", "validation loss"},
                {}};
    for (std::size_t v = 0; v < variants.size(); ++v) {
        const auto from = all.begin() + static_cast<std::ptrdiff_t>(v * seeds.size());
        trained.emplace_back(from, from + static_cast<std::ptrdiff_t>(seeds.size()));
        losses.push_back(losses_of(trained.back()));
        table.rows.push_back({variants[v].words, with_spread(losses[v].train, 4), with_spread(losses[v].val, 4)});
        document.data[variants[v].key].update(json_of(losses[v]));
    }
    document.blocks.emplace_back(std::move(table));
    document.blocks.emplace_back(apart_table(variants, losses));
    document.blocks.emplace_back(Text{verdict(variants, losses)});
    plot(document, variants, trained);
}

}  // namespace

Document placement(const PlacementOptions& options, const Material& material, const Setting& setting) {
    Document document{"lab placement", "note 4", "Before the non-linearity, after it, or none", {}, {}, {}, true};
    const std::vector<Variant> variants = variants_of(options.recipe);
    document.blocks.emplace_back(Text{fmt::format(
        "The note draws the norm right before the non-linearity or right after it and says that both are used; it "
        "divides by σ + ε or by √(σ² + ε); note 1 calls γ and β not needed, but used in most cases. Below each of "
        "them, and no norm at all: with the recipe {}, the same initial weights (a seed each), batches and learning "
        "rates, ε = {} wherever it stands. Look at the losses beside their spread.",
        options.recipe.name, options.recipe.network.norm.epsilon)});
    document.blocks.emplace_back(
        Formulas{{"batchnorm_inverse_deviation", "batchnorm_variance_backward", "batchnorm_backward"}});
    for (const Variant& variant : variants) {
        document.data[variant.key] = Json::object();
    }
    if (setting.torch != nullptr) {
        tell_agreement(document, variants, material, setting);
    }
    tell_training(document, variants, options, material, setting);
    return document;
}

}  // namespace byhand::lab
