#include <cmath>

#include "base/json.h"
#include "harness/report.h"
#include "harness/report_parts.h"
#include "harness/report_smallest.h"

namespace byhand {
namespace {

Json text_or_null(const std::string& text) {
    return text.empty() ? Json() : Json(text);
}

Json worst(const std::string& name, const Finding& result, const Wording& wording) {
    if (!result.worst) {
        return {};
    }
    return {{"index", index_of(result.shape, result.worst->position)},
            {"where", report::where(name, result, wording)},
            {"manual", number(result.worst->ours)},
            {"torch", number(result.worst->reference)},
            {"oracle", number(result.worst->right)}};
}

Json tensor(const ChainFinding& found, const Wording& wording) {
    const Finding& r = found.finding;
    return {{"name", found.value.name},
            {"model", found.model.model},
            {"witness", to_string(found.against)},
            {"shape", r.shape},
            {"count", count(r.shape)},
            {"bit_equal", r.difference ? Json(r.bit_equal) : Json()},
            {"max_abs_diff", number(r.difference)},
            {"max_ulp", r.ulp ? Json(*r.ulp) : Json()},
            {"worst", worst(found.value.name, r, wording)},
            {"error_manual", number(r.error)},
            {"error_torch", number(r.reference_error)},
            {"error_manual_ulp", number(report::in_ulp(r.error, r.scale))},
            {"error_torch_ulp", number(report::in_ulp(r.reference_error, r.scale))},
            {"scale", number(r.scale)},
            {"limit", number(r.limit)},
            {"used", number(r.used)},
            {"torch_further_off", r.reference_error ? Json(r.reference_further_off) : Json()},
            {"note", text_or_null(r.note)},
            {"verdict", to_string(r.verdict)}};
}

Json trial(const Trial& t) {
    const auto figure = [](const std::optional<double>& value) { return number(value.value_or(0)); };
    return {{"error", figure(t.error)},     {"scale", figure(t.scale)},           {"limit", figure(t.limit)},
            {"used", figure(t.used)},       {"catches", figure(t.catches)},       {"hint", text_or_null(t.hint)},
            {"note", text_or_null(t.note)}, {"mistake", text_or_null(t.mistake)}, {"verdict", to_string(t.verdict)}};
}

Json isolated(const ValueReport& value, const std::string& model) {
    const IsolatedStep& step = *value.isolated;
    return {{"name", value.name},
            {"function", step.function},
            {"model", model},
            {"reads", step.reads},
            {"real", trial(step.real)},
            {"probe", trial(step.probe)},
            {"in_double", step.only_in_double() ? trial(*step.telling()) : Json()},
            {"catches", number(report::catches(step))},
            {"own_error", number(step.real.error.value_or(0))},
            {"inherited_error", number(value.inherited_error())},
            {"wrong", step.wrong()},
            {"without_effect", value.without_effect()},
            {"verdict", to_string(step.verdict())}};
}

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
    json["trial"] = evidence != nullptr ? trial(*evidence) : Json();
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
    Json tensors = Json::array(), steps_isolated = Json::array(), drifts = Json::array();
    for (const ChainFinding& found : findings(step)) {
        if (how.shows(found.value.name)) {
            tensors.push_back(tensor(found, wording));
        }
    }
    for (const ModelReport& model : step.models) {
        for (const ValueReport& value : model.at(model.isolated)) {
            if (how.shows(value.name)) {
                steps_isolated.push_back(isolated(value, model.model));
            }
        }
        for (const Drift& one : model.drift) {
            drifts.push_back(drift(one, model.model));
        }
    }
    const Json manual = report::gives_loss(step) ? number(step.loss_manual) : Json();
    Json json = {{"step", step.step},
                 {"loss", {{"manual", manual}, {"torch", number(step.loss_torch)}}},
                 {"tensors", std::move(tensors)},
                 {"alone", std::move(steps_isolated)}};
    if (!drifts.empty()) {
        json["drift"] = std::move(drifts);
    }
    return json;
}

}  // namespace

Json report::json_of(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps) {
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
    for (const ComparedStep& step : steps) {
        json["steps"].push_back(compared_step(step, how));
    }
    return json;
}

std::string to_json(const Presentation& how, const Summary& summary, const std::vector<ComparedStep>& steps) {
    return printed_json(report::json_of(how, summary, steps), 1) + "\n";
}

}  // namespace byhand
