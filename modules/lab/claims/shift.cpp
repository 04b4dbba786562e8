// Shift between training and test data: by the running statistics, and by the test data's own.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "lab/claims/bench.h"
#include "lab/claims/claims.h"
#include "lab/figures.h"
#include "train/losses.h"

namespace byhand::lab {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// ---- names by kind ----

std::size_t key_of(std::u32string_view name, Kind kind) {
    return kind == Kind::initial ? static_cast<std::size_t>(name.front()) : name.size();
}

std::size_t middle_of(const Names& names, Kind kind) {
    std::vector<std::size_t> keys(names.size());
    std::ranges::transform(names, keys.begin(), [&](std::u32string_view name) { return key_of(name, kind); });
    const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(keys.size() / 2);
    std::ranges::nth_element(keys, middle);
    return *middle;
}

std::string kind_in_words(Kind kind, std::size_t middle, bool first) {
    if (kind == Kind::length) {
        return fmt::format("{} {} characters", first ? "up to" : "more than", middle);
    }
    const std::string letter = printable(to_utf8(std::u32string(1, static_cast<char32_t>(middle))));
    return fmt::format("{} {}", first ? "initials up to" : "initials after", letter);
}

// ---- trainings ----

constexpr std::array kKinds = {Kind::initial, Kind::length};
constexpr std::size_t kLonger = 5;   // times the steps of the other trainings: running statistics take their time
constexpr std::size_t kMoments = 5;  // at which it is tested, the end the last of them

// What a training is tested on, and the losses.
struct Tested {
    std::string first, second;                  // the kinds
    std::size_t trained_on = 0, tested_on = 0;  // examples
    std::size_t vocabulary = 0;
    std::vector<double> steps;
    std::vector<ShiftLosses> losses;  // after these steps
    double by_training = kNaN;        // at the end, on the other kind, by the statistics of the training part
};
using AllTested = std::vector<std::shared_ptr<Tested>>;

Training shifted(Recipe recipe, Kind kind, const std::shared_ptr<Tested>& tested) {
    const double rate = rate_at(recipe, 0);
    recipe.steps *= kLonger;
    recipe.network.norm.evaluation = EvaluationFigures::running;
    Training training{.recipe = at_rate(std::move(recipe), rate)};
    const auto names = std::make_shared<ShiftedNames>();
    training.prepare = [names, tested, kind](Run& run) {
        *names = shifted_names(run.names, run.vocabulary, run.recipe.network.context, kind);
        run.train = names->train;
        run.val = names->own;
        tested->first = names->first;
        tested->second = names->second;
        tested->trained_on = run.train.size();
        tested->tested_on = names->other.size();
        tested->vocabulary = run.vocabulary.size();
    };
    training.watch = [names, tested, last = training.recipe.steps](std::size_t steps, Model& model) {
        if (steps == 0 || steps % (last / kMoments) != 0) {
            return;
        }
        tested->steps.push_back(static_cast<double>(steps));
        tested->losses.push_back(shift_losses(model, *names, tested->vocabulary));
        if (steps == last) {
            tested->by_training = loss_by_figures_of(model, names->train, names->other, tested->vocabulary);
            *names = {};  // as large as the data: not every training's at once
        }
    };
    return training;
}

// ---- the section ----

using Measure = double (*)(const ShiftLosses& losses);
constexpr Measure kOwn = [](const ShiftLosses& losses) { return losses.own; };
constexpr Measure kOther = [](const ShiftLosses& losses) { return losses.other; };
constexpr Measure kOtherByOwn = [](const ShiftLosses& losses) { return losses.other_by_own; };
constexpr Measure kCost = [](const ShiftLosses& losses) { return losses.other - losses.own; };
constexpr Measure kCostByOwn = [](const ShiftLosses& losses) { return losses.other_by_own - losses.own; };

// The seeds of one form and one kind, once they are done.
using OfSeeds = std::span<const std::shared_ptr<Tested>>;

std::vector<double> at_the_end(OfSeeds seeds, Measure measure) {
    return figures_of(seeds, [measure](const std::shared_ptr<Tested>& one) {
        return one->losses.size() == kMoments ? measure(one->losses.back()) : kNaN;
    });
}

Table table_of(OfSeeds with, OfSeeds without) {
    const Tested& tested = *with.front();
    const auto loss = [](OfSeeds seeds, Measure measure) { return with_spread(at_the_end(seeds, measure), 3); };
    const auto by_training = [](const std::shared_ptr<Tested>& one) { return one->by_training; };
    return {fmt::format("trained on {} ({} examples), tested on {} ({})", tested.first, tested.trained_on,
                        tested.second, tested.tested_on),
            {"loss on", words_of(Arm::with), words_of(Arm::without)},
            {{"names of the kind it was trained on", loss(with, kOwn), loss(without, kOwn)},
             {"the other kind, by the running statistics", loss(with, kOther), loss(without, kOther)},
             {"the other kind, by the training part's", with_spread(figures_of(with, by_training), 3), ""},
             {"the other kind, by its own", loss(with, kOtherByOwn), ""}}};
}

// The cost over the steps of the training.
Series cost_of(const std::string& name, OfSeeds seeds, Measure measure) {
    return by_step(name, seeds,
                   [measure](const Tested& tested, std::size_t moment) { return measure(tested.losses[moment]); });
}

Section section_of(const Bench& bench, const AllTested& all) {
    const std::string& network = bench.networks.front().name;
    Section section;
    section.blocks.emplace_back(Text{fmt::format(
        "SHIFT BETWEEN TRAINING AND TEST DATA. {} trains for {} steps on the names of one kind, and is tested on names "
        "it has not seen, of that kind and of the other. The names are divided by their initial, then by their "
        "length, at the middle of the training part. In evaluation the norm goes by its running statistics, by those "
        "of the whole training part, or by those of the test data themselves. What the shift costs is the loss on the "
        "other kind less that on one's own.",
        network, bench.steps * kLonger)});
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
        const Grid grid = grid_of(bench, kKinds.size());
        const OfSeeds with = grid.of(OfSeeds(all), 0, Arm::with, kind),
                      without = grid.of(OfSeeds(all), 0, Arm::without, kind);
        const std::string by = kKinds[kind] == Kind::initial ? "initial" : "length";
        const auto compare = [&](std::vector<Claim>& claims, const char* sentence, const char* measure,
                                 const std::string& brief, std::vector<double> first, std::vector<double> second) {
            claims.push_back({"shift", network, sentence, fmt::format("{}, by {}", measure, by), brief, Better::smaller,
                              std::move(first), std::move(second)});
        };
        section.blocks.emplace_back(table_of(with, without));
        compare(section.claims, "A shift of the test data costs less with it",
                "loss on the other kind less that on one's own", "cost, " + by, at_the_end(with, kCost),
                at_the_end(without, kCost));
        compare(section.claims, "With the test data's own figures a shift costs less",
                "loss on the other kind (own figures) less that on one's own", "  own figures",
                at_the_end(with, kCostByOwn), at_the_end(without, kCost));
        compare(section.further, "The test data's own figures make up for a shift",
                "with the norm: loss on the other kind by its own figures less that by the running statistics",
                "own − running", at_the_end(with, kOtherByOwn), at_the_end(with, kOther));
        section.plots.push_back(
            {fmt::format("Cost of a shift by {}, {}", by, network),
             "step",
             "nats",
             {cost_of("with norm, running statistics", with, kCost), cost_of("without", without, kCost),
              cost_of("with norm, own figures", with, kCostByOwn)}});
    }
    return section;
}

}  // namespace

ShiftedNames shifted_names(const Split& names, const Vocabulary& vocabulary, std::size_t context, Kind kind) {
    const std::size_t middle = middle_of(names.train, kind);
    const auto is_first = [&](std::u32string_view name) { return key_of(name, kind) <= middle; };
    Names train, own, other;
    std::ranges::copy_if(names.train, std::back_inserter(train), is_first);
    for (const Names* part : {&names.val, &names.test}) {
        std::ranges::partition_copy(*part, std::back_inserter(own), std::back_inserter(other), is_first);
    }
    return {examples_of(train, vocabulary, context), examples_of(own, vocabulary, context),
            examples_of(other, vocabulary, context), kind_in_words(kind, middle, true),
            kind_in_words(kind, middle, false)};
}

ShiftLosses shift_losses(Model& model, const ShiftedNames& names, std::size_t vocabulary) {
    return {mean_loss(model, names.own, vocabulary), mean_loss(model, names.other, vocabulary),
            loss_by_figures_of(model, names.other, names.other, vocabulary)};
}

double loss_by_figures_of(Model& model, const Examples& figures, const Examples& tested, std::size_t vocabulary) {
    if (figures.size() < 2 || tested.size() < 2) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const Tensors<float> state = model.save();
    model.calibrate(figures.all().X);
    const double loss = mean_loss(model, tested, vocabulary);
    model.load(state);
    return loss;
}

Plan plan_shift(const Bench& bench) {
    const auto all = std::make_shared<AllTested>();
    const auto make = [&](Recipe recipe, std::size_t kind) {
        all->push_back(std::make_shared<Tested>());
        return shifted(std::move(recipe), kKinds[kind], all->back());
    };
    const auto sections = [all, first = first_network(bench)](std::span<const Trained>) {
        return std::vector{section_of(first, *all)};
    };
    return {trainings_of(first_network(bench), kKinds.size(), make), sections};
}

}  // namespace byhand::lab
