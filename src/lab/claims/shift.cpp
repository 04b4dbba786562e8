// Shift between training and test data: by the running statistics, and by the test data's own.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "lab/claims/bench.h"
#include "lab/claims/shifted_names.h"
#include "lab/figures.h"

namespace byhand::lab {
namespace {

constexpr std::array kKinds = {Kind::initial, Kind::length};
constexpr std::size_t kLonger = 5;   // times the steps of the other trainings: running statistics take their time
constexpr std::size_t kMoments = 5;  // at which it is tested, the end the last of them

const char* word_of(Kind kind) {
    return kind == Kind::initial ? "initial" : "length";
}

// What a training is tested on, and what comes of it.
struct Tested {
    std::string first, second;                  // the kinds
    std::size_t trained_on = 0, tested_on = 0;  // examples
    std::size_t vocabulary = 0;
    std::vector<std::size_t> steps;
    std::vector<ShiftLosses> losses;  // after these steps
    double by_training =
        std::numeric_limits<double>::quiet_NaN();  // at the end, on the other kind, by the figures of the training part
};
using AllTested = std::vector<std::shared_ptr<Tested>>;

Training shifted(Recipe recipe, Kind kind, const std::shared_ptr<Tested>& tested) {
    const double rate = rate_at(recipe, 0);
    recipe.steps *= kLonger;
    recipe.network.norm.evaluation = EvaluationFigures::running;
    Training training{.recipe = at_rate(std::move(recipe), rate)};
    const auto names = std::make_shared<std::unique_ptr<ShiftedNames>>();
    training.prepare = [names, tested, kind](Run& run) {
        *names =
            std::make_unique<ShiftedNames>(shifted_names(run.names, run.vocabulary, run.recipe.network.context, kind));
        run.train = (*names)->train;
        run.val = (*names)->own;
        tested->first = (*names)->first;
        tested->second = (*names)->second;
        tested->trained_on = run.train.size();
        tested->tested_on = (*names)->other.size();
        tested->vocabulary = run.vocabulary.size();
    };
    training.watch = [names, tested, last = training.recipe.steps](std::size_t steps, Model& model) {
        if (steps == 0 || steps % (last / kMoments) != 0) {
            return;
        }
        tested->steps.push_back(steps);
        tested->losses.push_back(shift_losses(model, **names, tested->vocabulary));
        if (steps == last) {
            tested->by_training = loss_by_figures_of(model, (*names)->train, (*names)->other, tested->vocabulary);
            names->reset();  // as large as the data: not every training's at once
        }
    };
    return training;
}

double own(const ShiftLosses& losses) {
    return losses.own;
}
double other(const ShiftLosses& losses) {
    return losses.other;
}
double other_by_own(const ShiftLosses& losses) {
    return losses.other_by_own;
}
double cost(const ShiftLosses& losses) {
    return losses.other - losses.own;
}
double cost_by_own(const ShiftLosses& losses) {
    return losses.other_by_own - losses.own;
}
using Measure = double (*)(const ShiftLosses& losses);

// The trainings of one kind, once they are done.
struct Outcomes {
    const AllTested& all;
    Grid grid;
    std::size_t kind = 0;

    const Tested& tested(Arm arm, std::size_t seed) const { return *all[grid.index(0, arm, kind, seed)]; }
    // Of the seeds, at the end.
    std::vector<double> at_the_end(Arm arm, Measure measure) const {
        return grid.over_seeds(0, arm, kind, [&](std::size_t i) {
            return all[i]->losses.size() == kMoments ? measure(all[i]->losses.back())
                                                     : std::numeric_limits<double>::quiet_NaN();
        });
    }
};

Table table_of(const Outcomes& outcomes) {
    const Tested& tested = outcomes.tested(Arm::with, 0);
    const auto line = [&](const char* words, Measure with, Measure without) {
        return std::vector<Cell>{words, with_spread(outcomes.at_the_end(Arm::with, with), 3),
                                 with_spread(outcomes.at_the_end(Arm::without, without), 3)};
    };
    const std::vector<double> by_training = outcomes.grid.over_seeds(
        0, Arm::with, outcomes.kind, [&](std::size_t i) { return outcomes.all[i]->by_training; });
    return {fmt::format("trained on {} ({} examples), tested on {} ({})", tested.first, tested.trained_on,
                        tested.second, tested.tested_on),
            {"loss on", words_of(Arm::with), words_of(Arm::without)},
            {line("names of the kind it was trained on", own, own),
             line("the other kind, by the running statistics", other, other),
             {"the other kind, by the training part's", with_spread(by_training, 3), ""},
             {"the other kind, by its own", with_spread(outcomes.at_the_end(Arm::with, other_by_own), 3), ""}}};
}

Text own_against_running(const Outcomes& outcomes) {
    const Verdict verdict = verdict_of(outcomes.at_the_end(Arm::with, other_by_own),
                                       outcomes.at_the_end(Arm::with, other), Better::smaller);
    return Text{fmt::format(
        "With the norm, the test data's own figures in the place of the running ones change the loss by {:+.4f} nats, "
        "standard error {:.4f}. That they make up for a shift by {}: {}.",
        verdict.difference, verdict.error, word_of(kKinds[outcomes.kind]), words_of(verdict.outcome))};
}

// The cost over the steps of the training.
Series cost_of(const Outcomes& outcomes, const std::string& name, Arm arm, Measure measure) {
    const std::vector<std::size_t>& steps = outcomes.tested(arm, 0).steps;
    std::vector<std::vector<double>> costs(steps.size());
    for (std::size_t seed = 0; seed < outcomes.grid.seeds; ++seed) {
        const std::vector<ShiftLosses>& losses = outcomes.tested(arm, seed).losses;
        for (std::size_t i = 0; i < std::min(costs.size(), losses.size()); ++i) {
            costs[i].push_back(measure(losses[i]));
        }
    }
    return band(name, {steps.begin(), steps.end()}, costs);
}

Row row_of(const Outcomes& outcomes, const std::string& network, bool by_own) {
    const std::string by = word_of(kKinds[outcomes.kind]);
    return {
        "shift",
        network,
        by_own ? "With the test data's own figures a shift costs less" : "A shift of the test data costs less with it",
        fmt::format("loss on the other kind{} less that on one's own, by {}", by_own ? " (own figures)" : "", by),
        by_own ? "  own figures" : "cost, " + by,
        Better::smaller,
        outcomes.at_the_end(Arm::with, by_own ? cost_by_own : cost),
        outcomes.at_the_end(Arm::without, cost)};
}

Section tell(const Bench& bench, const AllTested& all) {
    const std::string& network = bench.networks.front().name;
    Section section;
    section.blocks.emplace_back(Text{fmt::format(
        "SHIFT BETWEEN TRAINING AND TEST DATA. {} trains for {} steps on the names of one kind, and is tested on names "
        "it has not seen, of that kind and of the other. The names are divided by their initial, then by their "
        "length, at the middle of the training part. In evaluation the norm goes by its running statistics, by those "
        "of "
        "the whole training part, or by those of the test data themselves. What the shift costs is the loss on the "
        "other kind less that on one's own.",
        network, bench.steps * kLonger)});
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
        const Outcomes outcomes{all, grid_of(bench, kKinds.size()), kind};
        section.blocks.emplace_back(table_of(outcomes));
        section.conclusion.emplace_back(own_against_running(outcomes));
        section.rows.push_back(row_of(outcomes, network, false));
        section.rows.push_back(row_of(outcomes, network, true));
        section.plots.push_back({fmt::format("Cost of a shift by {}, {}", word_of(kKinds[kind]), network),
                                 "step",
                                 "nats",
                                 {cost_of(outcomes, "with norm, running statistics", Arm::with, cost),
                                  cost_of(outcomes, "without", Arm::without, cost),
                                  cost_of(outcomes, "with norm, own figures", Arm::with, cost_by_own)}});
    }
    return section;
}

}  // namespace

Plan plan_shift(const Bench& bench) {
    Plan plan;
    const auto all = std::make_shared<AllTested>();
    plan.trainings = trainings_of(first_network(bench), kKinds.size(), [&](Recipe recipe, std::size_t kind) {
        all->push_back(std::make_shared<Tested>());
        return shifted(std::move(recipe), kKinds[kind], all->back());
    });
    plan.tell = [all](const Bench& done, std::span<const Trained>) {
        return std::vector<Section>{tell(first_network(done), *all)};
    };
    return plan;
}

}  // namespace byhand::lab
