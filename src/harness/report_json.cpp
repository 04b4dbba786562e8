#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/report.h"

namespace byhand {
namespace {

using Json = nlohmann::ordered_json;

Json number(double value) {
    if (std::isnan(value)) {
        return "nan";
    }
    if (std::isinf(value)) {
        return value > 0 ? "inf" : "-inf";
    }
    return value;
}

Json number(const std::optional<double>& value) {
    return value ? number(*value) : Json();
}

Json worst(const TensorResult& result) {
    if (!result.worst) {
        return {};
    }
    return {{"index", index_of(result.shape, result.worst->position)},
            {"where", Json()},
            {"manual", number(result.worst->manual)},
            {"torch", number(result.worst->torch)},
            {"oracle", number(result.worst->oracle)}};
}

Json tensor(const ComparedTensor& compared) {
    const TensorResult& r = compared.result;
    return {{"name", r.name},
            {"model", compared.model},
            {"witness", compared.witness},
            {"shape", r.shape},
            {"count", count(r.shape)},
            {"bit_equal", r.max_abs_diff ? Json(r.bit_equal) : Json()},
            {"max_abs_diff", number(r.max_abs_diff)},
            {"max_ulp", r.max_ulp ? Json(*r.max_ulp) : Json()},
            {"worst", worst(r)},
            {"error_manual", number(r.error_manual)},
            {"error_torch", number(r.error_torch)},
            {"limit", number(r.limit)},
            {"note", r.note.empty() ? Json() : Json(r.note)},
            {"verdict", to_string(r.verdict)}};
}

}  // namespace

std::string to_json(const ReportHeader& header, const Summary& summary, const std::vector<ComparedStep>& steps,
                    const Filter& filter) {
    Json culprits = Json::array(), victims = Json::array();
    for (const Culprit& culprit : summary.culprits) {
        culprits.push_back(culprit.name);
    }
    for (const Victim& victim : summary.victims) {
        victims.push_back(victim.name);
    }
    Json json = {{"verdict", summary.agree ? "agree" : "disagree"},
                 {"first_divergence", summary.first_divergence ? Json(*summary.first_divergence) : Json()},
                 {"culprits", culprits},
                 {"victims", victims},
                 {"recipe", header.recipe},
                 {"torch", header.torch_version},
                 {"steps", Json::array()}};
    for (const ComparedStep& step : steps) {
        Json tensors = Json::array();
        for (const ComparedTensor& compared : step.tensors) {
            if (filter(compared.result.name)) {
                tensors.push_back(tensor(compared));
            }
        }
        json["steps"].push_back({{"step", step.step},
                                 {"loss", {{"manual", number(step.loss_manual)}, {"torch", number(step.loss_torch)}}},
                                 {"tensors", std::move(tensors)}});
    }
    return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace byhand
