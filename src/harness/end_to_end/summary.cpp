#include "harness/end_to_end/summary.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/value.h"

namespace byhand {
namespace {

void note_divergence(Summary& summary, const ComparedStep& step, const std::string& model, const std::string& name) {
    summary.agree = false;
    if (!summary.first_divergence) {
        summary.first_divergence = name;
        summary.first_divergence_step = step.step;
        summary.first_divergence_model = model;
    }
}

// The nearest to its limit of each name.
void note_close_call(std::vector<CloseCall>& calls, CloseCall call) {
    if (!(call.used > 0)) {
        return;
    }
    const auto same = std::ranges::find(calls, call.name, &CloseCall::name);
    if (same != calls.end() && same->used >= call.used) {
        return;
    }
    if (same != calls.end()) {
        calls.erase(same);
    }
    const auto place = std::ranges::find_if(calls, [&](const CloseCall& other) { return other.used < call.used; });
    calls.insert(place, std::move(call));
    calls.resize(std::min(calls.size(), Summary::kCloseCalls));
}

void add_tensors(Summary& summary, const ComparedStep& step) {
    for (const auto& [model, against, value, result] : findings(step)) {
        if (result.verdict == Verdict::not_given) {
            continue;
        }
        ++summary.verdicts[result.verdict];
        ++summary.compared;
        summary.tensors.insert(value.name);
        summary.undecided += result.verdict == Verdict::undecided ? 1 : 0;
        if (contradicts(result.verdict, summary.allowed)) {
            ++summary.disagreeing;
            summary.disagreeing_tensors.insert(value.name);
            note_divergence(summary, step, model.model, value.name);
        } else {
            note_close_call(summary.closest, {.name = value.name,
                                              .model = model.model,
                                              .step = step.step,
                                              .used = result.used.value_or(0),
                                              .error = result.error,
                                              .against = against});
        }
    }
}

void add_new(std::vector<ValueReport>& list, const ValueReport& value) {
    if (std::ranges::find(list, value.name, &ValueReport::name) == list.end()) {
        list.push_back(value);
    }
}

void add_isolated(Summary& summary, const ComparedStep& step, const ModelReport& model) {
    for (const ValueReport& culprit : model.at(model.culprits)) {
        note_divergence(summary, step, model.model, culprit.name);
        add_new(summary.culprits, culprit);
    }
    for (const ValueReport& value : model.at(model.downstream)) {
        add_new(summary.downstream, value);
    }
    for (const ValueReport& value : model.at(model.isolated)) {
        const IsolatedStep& isolated = *value.isolated;
        ++summary.isolated;
        ++summary.verdicts_isolated[isolated.verdict()];
        if (contradicts(isolated.verdict(), summary.allowed)) {
            ++summary.disagreeing_isolated;
            note_divergence(summary, step, model.model, value.name);
        }
    }
}

double relative(double distance, double scale) {
    return distance == 0 ? 0 : distance / scale;
}

DriftGrowth& growth_of(Summary& summary, const std::string& model) {
    const auto found = std::ranges::find(summary.drift, model, &DriftGrowth::model);
    return found != summary.drift.end() ? *found : summary.drift.emplace_back(DriftGrowth{.model = model});
}

void add_drift(Summary& summary, const ComparedStep& step, const ModelReport& model) {
    if (model.drift.empty()) {
        return;
    }
    DriftGrowth& growth = growth_of(summary, model.model);
    DriftPoint leader{step.step, "", 0, 0};
    std::set<std::string> updated;
    for (const Drift& drift : model.drift) {
        if (drift.only_rounding) {
            continue;
        }
        updated.insert(update_of(drift.parameter));
        if (relative(drift.distance, drift.scale) > relative(leader.distance, leader.scale)) {
            leader = {step.step, drift.parameter, drift.distance, drift.scale};
        }
    }
    growth.points.push_back(leader);
    for (const ChainFinding& found : findings(model)) {
        const Finding& finding = found.finding;
        if (!finding.error || !finding.scale || !updated.contains(found.value.name)) {
            continue;
        }
        if (const double fresh = relative(*finding.error, *finding.scale); fresh > growth.fresh) {
            growth.fresh = fresh;
            growth.fresh_parameter = found.value.name;
        }
    }
}

}  // namespace

void add(Summary& summary, const ComparedStep& step) {
    ++summary.steps;
    add_tensors(summary, step);
    for (const ModelReport& model : step.models) {
        add_isolated(summary, step, model);
        add_drift(summary, step, model);
    }
}

bool contradicts(Verdict verdict, const std::set<Verdict>& allowed) {
    return contradicts(verdict) && !allowed.contains(verdict);
}

bool disagrees(const ComparedStep& step, const std::set<Verdict>& allowed) {
    return std::ranges::any_of(
               findings(step),
               [&](const ChainFinding& found) { return contradicts(found.finding.verdict, allowed); }) ||
           std::ranges::any_of(step.models, [&](const ModelReport& model) {
               return !model.culprits.empty() ||
                      std::ranges::any_of(model.at(model.isolated), [&](const ValueReport& value) {
                          return contradicts(value.isolated->verdict(), allowed);
                      });
           });
}

std::optional<double> exponent(const std::vector<DriftPoint>& points) {
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (const DriftPoint& point : points) {
        const double size = relative(point.distance, point.scale);
        if (point.step == 0 || !(size > 0) || !std::isfinite(size)) {
            continue;
        }
        const double a = std::log(static_cast<double>(point.step)), b = std::log(size);
        n += 1;
        x += a;
        y += b;
        xx += a * a;
        xy += a * b;
    }
    const double spread = n * xx - x * x;
    return n >= 3 && spread > 0 ? std::optional((n * xy - x * y) / spread) : std::nullopt;
}

}  // namespace byhand
