#include <utility>

#include "documents/compare.h"
#include "documents/phrases.h"
#include "harness/mistake.h"

namespace byhand {
namespace {

Json blame(const ValueReport& culprit, const Presentation& how) {
    const SourceLine line = report::source_line(how, culprit.wrong_function());
    const Trial* evidence = culprit.evidence();
    Json json = {{"name", culprit.name},
                 {"function", culprit.wrong_function()},
                 {"why", culprit.why()},
                 {"without_effect", evidence != nullptr && culprit.without_effect()},
                 {"hint", text_or_null(evidence != nullptr ? evidence->hint : "")},
                 {"file_line", text_or_null(line.place)},
                 {"formula", text_or_null(line.formula)}};
    json["trial"] = evidence != nullptr ? json_of(*evidence) : Json();
    if (evidence != nullptr) {
        const SmallestInput* smallest = evidence->smallest.get();
        json["trial"]["smallest_input"] = smallest != nullptr ? report::json_of(*smallest) : Json();
    }
    return json;
}

Json drift(const Drift& d, const std::string& model) {
    return {{"model", model},
            {"parameter", d.parameter},
            {"distance", number(d.distance)},
            {"scale", number(d.scale)},
            {"only_rounding", d.only_rounding}};
}

Json compared_step(const ComparedStep& step, const Presentation& how) {
    const Wording wording = report::wording(how, step);
    Table tensors = tensor_table("", how.whose), steps_isolated = isolated_table("");
    Json drifts = Json::array();
    for (const ChainFinding& found : findings(step)) {
        if (how.shows(found.value.name)) {
            tensors.rows.push_back(tensor_row(step.step, found, wording));
        }
    }
    for (const ModelReport& model : step.models) {
        for (const ValueReport& value : model.at(model.isolated)) {
            if (how.shows(value.name)) {
                steps_isolated.rows.push_back(isolated_row(model.model, value));
            }
        }
        for (const Drift& one : model.drift) {
            drifts.push_back(drift(one, model.model));
        }
    }
    const Json manual = report::gives_loss(step) ? number(step.loss_manual) : Json();
    Json json = {{"step", step.step},
                 {"loss", {{"manual", manual}, {"torch", number(step.loss_torch)}}},
                 {"tensors", json_of_rows(tensors)},
                 {"alone", json_of_rows(steps_isolated)}};
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
        json["steps"].push_back(compared_step(step, how));
    }
    return json;
}

}  // namespace byhand
