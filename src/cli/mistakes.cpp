#include "checks/faults/mistakes.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/nearest.h"
#include "checks/documents.h"
#include "checks/score.h"
#include "cli/by_name.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/network_options.h"
#include "cli/progress.h"
#include "cli/report_options.h"
#include "cli/say.h"
#include "cli/shell_words.h"
#include "torch_ref/load.h"

namespace byhand::cli {
namespace {

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

// The mistakes whose names match, and that `suits`. Throws InputError if there are none.
std::vector<const Mistake*> chosen_by(const std::string& pattern,
                                      const std::function<bool(const Mistake&)>& suits = {}) {
    std::vector<const Mistake*> chosen;
    for (const Mistake& mistake : mistakes()) {
        if (matches(pattern, mistake.name) && (suits == nullptr || suits(mistake))) {
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
                      .title = fmt::format("Mistakes that can be planted: {}", chosen.size()),
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
    std::erase_if(others, [&](const std::string& name) { return !some_apply(read_recipe(name)); });
    throw InputError(fmt::format(
        "{} can be planted in none of these recipes: {}. {}",
        chosen.size() == 1 ? "the mistake " + chosen.front()->name : "the mistakes that match " + options.only,
        fmt::join(names, ", "),
        others.empty() ? "No shipped recipe contains its operation: give one that lists it, by --recipe FILE"
                       : "Add --recipe " + others.front()));
}

Scores plant_all(const MistakesOptions& options) {
    const std::vector<const Mistake*> chosen = chosen_by(options.only, [&](const Mistake& mistake) {
        return (mistake.plant_in_rank != nullptr) == options.ranks.has_value();
    });
    const NamesFile names = read_names_aloud(options.data, {options.skip_bad_lines});
    std::vector<Run> runs;
    runs.reserve(options.recipes.size());
    for (const std::string& recipe : options.recipes) {
        runs.push_back(prepare(read_recipe(recipe), names, data_path_of(options.data)));
    }
    check_any_applies(chosen, runs, options);
    Progress progress(options.recipes.size() * options.seeds * chosen.size(), std::nullopt, "planting");
    Scores scores = score(
        chosen, runs, torch_ref::load(),
        {.seeds = options.seeds, .ranks = options.ranks, .begins = [&](std::size_t done) { progress.step(done); }});
    progress.finish();
    return scores;
}

int score_all(const MistakesOptions& options) {
    const ReportFile report(options.report);
    const Scores scores = plant_all(options);
    report.write(score_document(scores));
    const std::size_t total = scores.planted.size();
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
