#include <utility>

#include "documents/compare.h"
#include "documents/phrases.h"
#include "harness/mistake.h"

namespace byhand {
namespace {

Json blame(const ValueReport& culprit, const Presentation& how) {
    const SourceLine line = how.source(culprit.wrong_function());
    const Trial* evidence = culprit.evidence();
    Json json = {{"name", culprit.name},
                 {"function", culprit.wrong_function()},
                 {"why", culprit.why()},
                 {"without_effect", evidence != nullptr && culprit.without_effect()},
                 {"hint", text_or_null(evidence != nullptr ? evidence->hint : "")},
                 {"file_line", text_or_null(line.place)},
                 {"formula", text_or_null(line.formula)},
                 {"trial", evidence != nullptr ? json_of(*evidence) : Json()}};
    if (evidence != nullptr) {
        const SmallestInput* smallest = evidence->smallest.get();
        json["trial"]["smallest_input"] = smallest != nullptr ? report::json_of(*smallest) : Json();
    }
    return json;
}

Json rows_of(const std::vector<Table>& tables) {
    Json rows = Json::array();
    for (const Table& table : tables) {
        for (const Json& row : json_of_rows(table)) {
            rows.push_back(row);
        }
    }
    return rows;
}

Json compared_step(const ComparedStep& step, const Presentation& how, const Summary& summary) {
    Json drifts = Json::array();
    for (const ModelReport& model : step.models) {
        for (const Drift& one : model.drift) {
            drifts.push_back({{"model", model.model},
                              {"parameter", one.parameter},
                              {"distance", number(one.distance)},
                              {"scale", number(one.scale)},
                              {"only_rounding", one.only_rounding}});
        }
    }
    const Json manual = report::gives_loss(step) ? number(step.loss_manual) : Json();
    Json json = {{"step", step.step},
                 {"loss", {{"manual", manual}, {"torch", number(step.loss_torch)}}},
                 {"tensors", rows_of(tensor_tables(step, how, summary, ShownRows::for_programs))},
                 {"alone", rows_of(isolated_tables(step, how, summary.allowed))}};
    if (how.whose == Whose::given) {
        const Mistake* mistake = step.models.front().mistake;
        json["mistake"] = mistake != nullptr ? Json(mistake->name) : Json();
    }
    if (!drifts.empty()) {
        json["drift"] = std::move(drifts);
    }
    return json;
}

}  // namespace

Json compare_json(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps) {
    Json culprits = Json::array(), victims = Json::array(), blamed = Json::array(), inherited = Json::object();
    for (const ValueReport& culprit : summary.culprits) {
        culprits.push_back(culprit.name);
        blamed.push_back(blame(culprit, how));
    }
    for (const ValueReport& value : summary.downstream) {
        victims.push_back(value.name);
        inherited[value.name] = text_or_null(value.role.from);
    }
    Json json = {{"verdict", summary.agree ? "agree" : "disagree"},
                 {"first_divergence", summary.first_divergence ? Json(*summary.first_divergence) : Json()},
                 {"culprits", culprits},
                 {"victims", victims},
                 {"blame", blamed},
                 {"inherited", inherited},
                 {"recipe", how.recipe},
                 {"torch", how.torch_version},
                 {"steps", Json::array()}};
    if (!summary.ranks.empty()) {
        const auto of = [](const RankSummary& ranks) {
            return Json{{"model", ranks.model},       {"ranks", ranks.ranks},   {"parts", ranks.parts},
                        {"messages", ranks.messages}, {"values", ranks.values}, {"different", ranks.different}};
        };
        json["ranks"] = of(summary.ranks.front());
        for (const RankSummary& ranks : summary.ranks) {
            json["ranks"]["models"].push_back(of(ranks));
        }
    }
    for (const ComparedStep& step : steps) {
        json["steps"].push_back(compared_step(step, how, summary));
    }
    return json;
}

}  // namespace byhand
