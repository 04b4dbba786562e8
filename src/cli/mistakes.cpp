#include "checks/faults/mistakes.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/member.h"
#include "base/nearest.h"
#include "base/value.h"
#include "checks/candidates.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "cli/progress.h"
#include "cli/report_options.h"
#include "cli/value_names.h"
#include "compare/candidates.h"
#include "harness/baseline_metrics.h"
#include "harness/drawn.h"
#include "harness/end_to_end/summary.h"
#include "manual/stepwise.h"
#include "names/dataset.h"
#include "ranks/ranks.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

constexpr std::size_t kScoredSteps = 2;
constexpr std::size_t kLossSteps = 10;
const char* const kLossMetric = "loss-10";
// Of data parallelism: in this many parts, of different sizes; or else in parts of one row.
constexpr std::size_t kScoredParts = 5;

Recipe recipe_named(const std::string& recipe) {
    NetworkOptions options;
    options.recipe = recipe;
    return recipe_of(options);
}

struct MistakesOptions {
    std::vector<InputPath> recipes = {"notes", "makemore-bn", "makemore-deep", "makemore-ninja"};
    InputPath data;
    bool skip_bad_lines = false;
    std::string only = "*";
    std::size_t seeds = 3;
    bool score = false;
    std::optional<std::size_t> ranks;
    ReportOptions report;
};

// One mistake in one recipe.
struct Score {
    std::string name, recipe;
    std::uint64_t seed = 0;
    std::size_t parts = 1;  // of the batch
    bool caught = false, blamed = false;
    bool caught_without_battery = false;           // by the batch and one random draw
    std::vector<std::string> culprits;             // as reported
    std::map<std::string, bool> baseline_metrics;  // which of the baseline metrics catch it
};

// Whether anything is wrong apart from what only the battery shows.
bool is_off_without_battery(const ComparedStep& step) {
    const auto is_off = [](const ValueReport& value) {
        if (!value.isolated) {
            return false;
        }
        IsolatedStep isolated = *value.isolated;
        isolated.battery.clear();
        return contradicts(isolated.verdict());
    };
    return std::ranges::any_of(findings(step),
                               [](const ChainFinding& found) { return contradicts(found.finding.verdict); }) ||
           std::ranges::any_of(step.models, [&](const ModelReport& model) {
               return std::ranges::any_of(
                   model.values, [&](const ValueReport& value) { return !value.list_fault.empty() || is_off(value); });
           });
}

// A recipe with drawn values, its batches and LibTorch's results.
class Ground {
public:
    Ground(const torch_ref::Factory& torch, Run run, std::uint64_t seed, std::size_t ranks)
        : run_(std::move(run)),
          ranks_(ranks),
          network_(run_.recipe.network),
          rows_(run_.recipe.batch),
          state_(drawn_state(network_, seed)),
          reference_(reference_of(torch, network_, rows_, seed)) {
        TorchGenerator generator = torch_seeded(seed);
        for (std::size_t step = 0; step < kLossSteps; ++step) {
            draw_batch(batches_.emplace_back(rows_, network_.context), run_.train, generator);
        }
        reference_.chain.memo = &memo_;
        loss_ = loss_after(*reference_.implementations.stepwise);
    }

    Spoiled spoiled(const Mistake& mistake) const {
        return spoiled_by(mistake, reference_, {state_, batches_.front().view(), kRate});
    }
    // On several ranks; without a mistake if it is null. Without the battery: the steps are right.
    Spoiled spoiled_in_ranks(const Mistake* mistake, std::size_t parts) const {
        RanksOnThreads all = ranks_on_threads(mistake, network_, rows_, parts, ranks_);
        Spoiled spoiled{candidate_in_ranks(std::move(all.ranks), reference_), std::move(all.culprits)};
        spoiled.candidate.isolation.battery = nullptr;
        return spoiled;
    }
    Candidate right() const { return candidate_of("stepwise", reference_); }
    std::size_t rows() const { return rows_; }

    Score judge(Candidate candidate, const std::vector<std::string>& culprits) {
        const Schedule schedule{.steps = kScoredSteps,
                                .batch = [&](std::size_t step) { return batches_.at(step).view(); },
                                .rate = [&](std::size_t) { return kRate; }};
        Score score;
        Summary summary;
        std::vector<Candidate> candidates;
        candidates.push_back(std::move(candidate));
        candidates.back().isolation.right_at_size = {};  // no explanations
        run_comparison(network_, state_, schedule, candidates, reference_.implementations, reference_.chain,
                       [&](const ComparedStep& step) {
                           add(summary, step);
                           score.caught_without_battery = score.caught_without_battery || is_off_without_battery(step);
                       });
        for (const ValueReport& culprit : summary.culprits) {
            score.culprits.push_back(culprit.name);
        }
        score.caught = !summary.agree;
        score.blamed =
            std::set(score.culprits.begin(), score.culprits.end()) == std::set(culprits.begin(), culprits.end());
        Implementation& implementation = *candidates.front().implementation;
        for (const BaselineMetric& metric : baseline_metrics()) {
            score.baseline_metrics[metric.name] =
                !all_pass(metric, implementation.views(), reference_.implementations.stepwise->views());
        }
        score.baseline_metrics[kLossMetric] =
            std::abs(loss_after(implementation) - loss_) > 5e-5;  // in the usual four decimals
        return score;
    }

    const std::string& recipe() const { return run_.recipe.name; }

private:
    static constexpr float kRate = 0.1F;

    // The loss of the tenth step; each step continues from the one before.
    double loss_after(Implementation& implementation) {
        implementation.load(state_);
        for (std::size_t step = 0;; ++step) {
            implementation.run(batches_.at(step).view(), kRate);
            const std::vector<View> views = implementation.views();
            if (step + 1 == kLossSteps) {
                return value_at(*find(views, "loss"), 0);
            }
            Tensors<float> next = state_;
            for (const TensorSpec& spec : next.table()) {
                const View* updated = find(views, update_of(spec.name));
                const View* old = find(views, spec.name);  // unchanged if no step updates it
                const std::span<float> values = next[spec.name];
                for (std::size_t i = 0; i < values.size(); ++i) {
                    values[i] = static_cast<float>(value_at(updated != nullptr ? *updated : *old, i));
                }
            }
            implementation.load(next);
        }
    }

    Run run_;
    std::size_t ranks_;  // 1: without parts
    const NetworkConfig& network_;
    std::size_t rows_;
    Tensors<float> state_;
    Reference reference_;
    Memo memo_;
    std::vector<DrawnBatch> batches_;
    double loss_ = 0;
};

bool is_in_ranks(const Mistake& mistake) {
    return mistake.plant_in_rank != nullptr;
}

// The mistakes whose names match, and that `suits`. Throws InputError if there are none.
std::vector<const Mistake*> chosen_by(const std::string& pattern,
                                      const std::function<bool(const Mistake&)>& suits = {}) {
    std::vector<const Mistake*> chosen;
    for (const Mistake& mistake : mistakes()) {
        if (::fnmatch(pattern.c_str(), mistake.name.c_str(), 0) == 0 && (suits == nullptr || suits(mistake))) {
            chosen.push_back(&mistake);
        }
    }
    if (chosen.empty()) {
        throw InputError("--mistake: no mistake matches " + pattern + the_nearest(pattern, mistake_names()) +
                         "; byhand mistakes lists them" +
                         (suits == nullptr ? "" : ", and --ranks scores those of data parallelism"));
    }
    return chosen;
}

int list(const MistakesOptions& options) {
    const std::vector<const Mistake*> chosen = chosen_by(options.only);
    const ReportFile report(options.report);
    Document document{.subject = "mistakes",
                      .note = "",
                      .title = fmt::format("Mistakes that can be planted: {}", chosen.size()),
                      .blocks = {},
                      .plots = {},
                      .data = Json::array()};
    Table table{"", {"name", {"description", "what", Align::left}, {"source", "source", Align::below}}, {}};
    for (const Mistake* mistake : chosen) {
        table.rows.push_back({mistake->name, mistake->what, mistake->source});
        document.data.push_back({{"name", mistake->name}, {"what", mistake->what}, {"source", mistake->source}});
    }
    document.blocks = {table,
                       Text{"Plant one with byhand compare --plant NAME; byhand mistakes --score plants them all."}};
    report.write(document);
    return kFine;
}

Json to_json(const Score& score) {
    Json baseline_metrics = Json::object();
    for (const auto& [name, catches] : score.baseline_metrics) {
        baseline_metrics[name] = catches;
    }
    return {{"name", score.name},
            {"recipe", score.recipe},
            {"seed", score.seed},
            {"parts", score.parts},
            {"caught", score.caught},
            {"blamed", score.blamed},
            {"caught_without_battery", score.caught_without_battery},
            {"culprits", score.culprits},
            {"rivals", baseline_metrics}};
}

// All scores.
struct Scores {
    std::vector<Score> planted, clean;  // clean: the right network in each recipe
    Json not_applicable = Json::array();

    static std::size_t how_many(const std::vector<Score>& scores, Member<Score, bool> what) {
        return static_cast<std::size_t>(std::ranges::count_if(scores, what));
    }
    std::size_t caught() const { return how_many(planted, &Score::caught); }
    std::size_t caught_without_battery() const { return how_many(planted, &Score::caught_without_battery); }
    std::size_t blamed() const { return how_many(planted, &Score::blamed); }
    std::size_t false_alarms() const { return how_many(clean, &Score::caught); }
};

std::vector<std::size_t> parts_to_score(std::size_t rows) {
    return {std::min(kScoredParts, rows), rows};
}

// Whether the mistake can be planted in the recipe's network; one of data parallelism, on this many ranks.
bool applies(const Mistake& mistake, const Recipe& recipe, std::size_t ranks) {
    if (is_in_ranks(mistake)) {
        return std::ranges::any_of(parts_to_score(recipe.batch), [&](std::size_t parts) {
            RankPlan plan = rank_plan(HandForm::stepwise, recipe.network, recipe.batch, parts, 0, ranks);
            return !mistake.plant_in_rank(plan).empty();
        });
    }
    return !culprits_in(stepwise_graph(recipe.network, recipe.batch), mistake).empty();
}

// Throws InputError if none of the mistakes can be planted in any of the recipes: their score would be 0 of 0.
void check_any_applies(const std::vector<const Mistake*>& chosen, const std::vector<Run>& runs,
                       const MistakesOptions& options) {
    const auto some_apply = [&](const Recipe& recipe) {
        return std::ranges::any_of(
            chosen, [&](const Mistake* mistake) { return applies(*mistake, recipe, options.ranks.value_or(1)); });
    };
    if (std::ranges::any_of(runs, [&](const Run& run) { return some_apply(run.recipe); })) {
        return;
    }
    const std::vector<std::string> names(options.recipes.begin(), options.recipes.end());
    std::vector<std::string> others = shipped_recipes();
    std::erase_if(others, [&](const std::string& name) { return !some_apply(recipe_named(name)); });
    throw InputError(fmt::format(
        "{} can be planted in none of these recipes: {}. {}",
        chosen.size() == 1 ? "the mistake " + chosen.front()->name : "the mistakes that match " + options.only,
        fmt::join(names, ", "),
        others.empty() ? "No shipped recipe contains its operation: give one that lists it, by --recipe FILE"
                       : "Add --recipe " + others.front()));
}

// In the first number of parts where it applies.
std::pair<Spoiled, std::size_t> planted_in(const Ground& ground, const Mistake& mistake) {
    if (!is_in_ranks(mistake)) {
        return {ground.spoiled(mistake), 1};
    }
    const std::vector<std::size_t> choices = parts_to_score(ground.rows());
    Spoiled spoiled = ground.spoiled_in_ranks(&mistake, choices.front());
    if (!spoiled.culprits.empty()) {
        return {std::move(spoiled), choices.front()};
    }
    return {ground.spoiled_in_ranks(&mistake, choices.back()), choices.back()};
}

Scores plant_all(const MistakesOptions& options) {
    const std::vector<const Mistake*> chosen = chosen_by(
        options.only, [&](const Mistake& mistake) { return is_in_ranks(mistake) == options.ranks.has_value(); });
    const NamesFile names = read_names_aloud(options.data, {options.skip_bad_lines});
    std::vector<Run> runs;
    runs.reserve(options.recipes.size());
    for (const std::string& recipe : options.recipes) {
        runs.push_back(prepare(recipe_named(recipe), names, data_path_of(options.data)));
    }
    check_any_applies(chosen, runs, options);
    const torch_ref::Factory& torch = torch_ref::load();
    Scores scores;
    Progress progress(options.recipes.size() * options.seeds * chosen.size(), std::nullopt, "planting");
    std::size_t done = 0;
    const auto score_in = [&](Ground& ground, std::uint64_t seed) {
        const auto keep = [&](std::vector<Score>& list, Score score, const std::string& name, std::size_t parts) {
            score.name = name;
            score.recipe = ground.recipe();
            score.seed = seed;
            score.parts = parts;
            list.push_back(std::move(score));
        };
        if (!options.ranks) {
            keep(scores.clean, ground.judge(ground.right(), {}), "none", 1);
        } else {
            for (const std::size_t parts : parts_to_score(ground.rows())) {
                keep(scores.clean, ground.judge(ground.spoiled_in_ranks(nullptr, parts).candidate, {}), "none", parts);
            }
        }
        for (const Mistake* mistake : chosen) {
            progress.step(done++);
            auto [spoiled, parts] = planted_in(ground, *mistake);
            if (!spoiled.culprits.empty()) {
                keep(scores.planted, ground.judge(std::move(spoiled.candidate), spoiled.culprits), mistake->name,
                     parts);
            } else if (seed == 1) {  // listed once
                scores.not_applicable.push_back({{"name", mistake->name}, {"recipe", ground.recipe()}});
            }
        }
    };
    for (const Run& run : runs) {
        for (std::uint64_t seed = 1; seed <= options.seeds; ++seed) {
            Ground ground(torch, run, seed, options.ranks.value_or(1));
            score_in(ground, seed);
        }
    }
    progress.finish();
    return scores;
}

Json json_of(const Scores& scores) {
    Json rows = Json::array(), clean_rows = Json::array();
    for (const Score& score : scores.planted) {
        rows.push_back(to_json(score));
    }
    for (const Score& score : scores.clean) {
        clean_rows.push_back(to_json(score));
    }
    return {{"total", scores.planted.size()},
            {"caught", scores.caught()},
            {"blamed", scores.blamed()},
            {"caught_without_battery", scores.caught_without_battery()},
            {"false_alarms", scores.false_alarms()},
            {"mistakes", rows},
            {"not_applicable", scores.not_applicable},
            {"none", clean_rows}};
}

// A row for each mistake: whether it is caught, and whether the right step is blamed.
Table table_of_planted(const Scores& scores) {
    Table table{"",
                {"mistake",
                 {"recipe", "recipe", Align::left},
                 "seed",
                 "parts",
                 {"caught", "caught", Align::left},
                 {"blamed", "blamed", Align::left},
                 {"culprits", "culprits", Align::left}},
                {}};
    for (const Score& score : scores.planted) {
        table.rows.push_back({score.name,
                              score.recipe,
                              whole(score.seed),
                              whole(score.parts),
                              {score.caught ? "caught" : "NOT CAUGHT", score.caught},
                              {score.blamed ? "rightly" : "WRONGLY", score.blamed},
                              fmt::format("{}", fmt::join(score.culprits, ", "))});
    }
    return table;
}

// byhand beside the baseline metrics.
Table table_of_metrics(const Scores& scores) {
    Table table{"", {"by", "caught", "of", "false alarms", {"of", "of_right_networks"}}, {}};
    const auto add_row = [&](const std::string& name, std::size_t found, std::size_t alarms) {
        table.rows.push_back(
            {name, whole(found), whole(scores.planted.size()), whole(alarms), whole(scores.clean.size())});
    };
    add_row("byhand", scores.caught(), scores.false_alarms());
    add_row("byhand: the batch and one random draw only", scores.caught_without_battery(),
            Scores::how_many(scores.clean, &Score::caught_without_battery));
    const auto add_metric = [&](const std::string& name, const std::string& rule) {
        const auto alarmed = [&](const Score& score) { return score.baseline_metrics.at(name); };
        add_row(name + ": " + rule, static_cast<std::size_t>(std::ranges::count_if(scores.planted, alarmed)),
                static_cast<std::size_t>(std::ranges::count_if(scores.clean, alarmed)));
    };
    for (const BaselineMetric& metric : baseline_metrics()) {
        add_metric(metric.name, metric.rule);
    }
    add_metric(kLossMetric, "loss after 10 steps, four decimals");
    return table;
}

// The mistakes that no recipe has a place for.
std::vector<std::string> never_planted(const Scores& scores) {
    std::vector<std::string> names;
    for (const Json& one : scores.not_applicable) {
        const auto name = one["name"].get<std::string>();
        if (std::ranges::find(names, name) == names.end() &&
            std::ranges::find(scores.planted, name, &Score::name) == scores.planted.end()) {
            names.push_back(name);
        }
    }
    return names;
}

int score_all(const MistakesOptions& options) {
    const ReportFile report(options.report);
    const Scores scores = plant_all(options);
    const std::size_t total = scores.planted.size();
    Document document{.subject = "mistakes --score",
                      .note = "",
                      .title = fmt::format("{} of {} planted mistakes caught, the right step blamed in {}",
                                           scores.caught(), total, scores.blamed()),
                      .blocks = {table_of_planted(scores), table_of_metrics(scores)},
                      .plots = {},
                      .data = json_of(scores)};
    if (const std::vector<std::string> names = never_planted(scores); !names.empty()) {
        document.blocks.emplace_back(Text{fmt::format(
            "Not planted, because no recipe contains the operation: {}. Add a recipe that does by --recipe.",
            fmt::join(names, ", "))});
    }
    report.write(document);
    return scores.caught() == total && scores.blamed() == total && scores.false_alarms() == 0 ? kFine : kDisagrees;
}

}  // namespace

void add_mistakes(const Command& program) {
    const Command command = program.add_command("mistakes", kMistakesAbout);
    const auto options = std::make_shared<MistakesOptions>();
    command.flag("--score", options->score,
                 "Plant each mistake in each recipe, and count those caught and those blamed on the right step");
    command
        .option("--ranks", options->ranks,
                "With --score: plant the mistakes of data parallelism, on N ranks, which are threads here")
        .whole_number(2, 64)
        .needs(command.option_named("--score"));
    command.option("--recipe", options->recipes, "Recipes to plant the mistakes in")
        .list()
        .completes(shipped_recipes)
        .shows_default();
    command.option("--data", options->data, "Names in UTF-8, one per line [the shipped names]").not_empty();
    add_skip_bad_lines(command, options->skip_bad_lines);
    command.option("--mistake", options->only, "Only the mistakes that match, as 'dvar*'").shows_default();
    command.option("--seeds", options->seeds, "Number of seeds, each with its own values and batches")
        .whole_number(1, 1000)
        .shows_default();
    add_report_options(command, options->report);
    command.on_run([options] { return options->score ? score_all(*options) : list(*options); });
}

}  // namespace byhand::cli
