#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "checks/documents.h"
#include "checks/score.h"

namespace byhand {
namespace {

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

Json json_of(const Scores& scores) {
    Json rows = Json::array(), clean_rows = Json::array(), not_applicable = Json::array();
    for (const Score& score : scores.planted) {
        rows.push_back(to_json(score));
    }
    for (const Score& score : scores.clean) {
        clean_rows.push_back(to_json(score));
    }
    for (const Scores::NotApplicable& one : scores.not_applicable) {
        not_applicable.push_back({{"name", one.name}, {"recipe", one.recipe}});
    }
    return {{"total", scores.planted.size()},
            {"caught", scores.caught()},
            {"blamed", scores.blamed()},
            {"caught_without_battery", scores.caught_without_battery()},
            {"false_alarms", scores.false_alarms()},
            {"mistakes", rows},
            {"not_applicable", std::move(not_applicable)},
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
    for (const Scores::NotApplicable& one : scores.not_applicable) {
        if (std::ranges::find(names, one.name) == names.end() &&
            std::ranges::find(scores.planted, one.name, &Score::name) == scores.planted.end()) {
            names.push_back(one.name);
        }
    }
    return names;
}

}  // namespace

Document score_document(const Scores& scores) {
    const std::size_t total = scores.planted.size();
    Document document{.subject = "mistakes --score",
                      .title = fmt::format("{} of {} planted mistakes caught, the right step blamed in {}",
                                           scores.caught(), total, scores.blamed()),
                      .blocks = {table_of_planted(scores), table_of_metrics(scores)},
                      .data = json_of(scores)};
    if (const std::vector<std::string> names = never_planted(scores); !names.empty()) {
        document.blocks.emplace_back(Text{fmt::format(
            "Not planted, because no recipe contains the operation: {}. Add a recipe that does by --recipe.",
            fmt::join(names, ", "))});
    }
    return document;
}

}  // namespace byhand
