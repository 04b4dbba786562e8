#include "harness/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/value.h"
#include "harness/report_columns.h"
#include "harness/report_parts.h"

namespace byhand {
namespace {

using report::contradicts;

void note_divergence(Summary& summary, const ComparedStep& step, const std::string& model, const std::string& name) {
    summary.agree = false;
    if (!summary.first_divergence) {
        summary.first_divergence = name;
        summary.first_divergence_step = step.step;
        summary.first_divergence_model = model;
    }
}

void add_tensors(Summary& summary, const ComparedStep& step) {
    for (const auto& [model, against, value, result] : findings(step)) {
        if (result.verdict == Verdict::not_given) {
            continue;
        }
        const double used = result.used.value_or(0);
        ++summary.compared;
        summary.tensors.insert(value.name);
        summary.undecided += result.verdict == Verdict::undecided ? 1 : 0;
        if (contradicts(result.verdict, summary.allowed)) {
            ++summary.disagreeing;
            note_divergence(summary, step, model.model, value.name);
        } else if (used > summary.largest_use) {
            summary.largest_use = used;
            summary.largest_use_name = value.name;
            summary.largest_use_step = step.step;
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
        ++summary.alone;
        if (contradicts(isolated.verdict(), summary.allowed)) {
            ++summary.disagreeing_alone;
            note_divergence(summary, step, model.model, value.name);
        }
        const double most = std::max(isolated.real.used.value_or(0), isolated.probe.used.value_or(0));
        if (!isolated.wrong() && most > summary.largest_use_alone) {
            summary.largest_use_alone = most;
            summary.largest_use_alone_name = value.name;
        }
        if (const double catches = isolated.probe.catches.value_or(0); catches > summary.largest_catch) {
            summary.largest_catch = catches;
            summary.largest_catch_name = value.name;
        }
    }
}

double relative(double distance, double scale) {
    return distance == 0 ? 0 : distance / scale;
}

DriftGrowth& growth_of(Summary& summary, const std::string& model) {
    for (DriftGrowth& growth : summary.drift) {
        if (growth.model == model) {
            return growth;
        }
    }
    summary.drift.push_back({.model = model, .points = {}, .fresh = 0, .fresh_parameter = ""});
    return summary.drift.back();
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

// The p of drift ≈ c·step^p: least squares on the logarithms. Nothing where there are not three points to see it by.
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

std::string in_a_line(const DriftGrowth& growth) {
    const DriftPoint& last = growth.points.back();
    const auto leads = [](const DriftPoint& point) {
        return point.parameter.empty() ? std::string("0")
                                       : fmt::format("{:.2e} of its scale ({} leads)",
                                                     relative(point.distance, point.scale), point.parameter);
    };
    std::string text =
        fmt::format("drift of {} from LibTorch: {} at the start of step {}", growth.model, leads(last), last.step);
    const auto first = std::ranges::find_if(growth.points, [](const DriftPoint& p) { return !p.parameter.empty(); });
    if (first != growth.points.end() && first->step != last.step) {
        text += fmt::format(", from {} at step {}", leads(*first), first->step);
    }
    if (const auto p = exponent(growth.points)) {
        text += fmt::format(", growing about as step^{:.1f}", *p);
    }
    text += "; fresh error of a step: ";
    return text +
           (growth.fresh > 0 ? fmt::format("{:.2e} at most ({})\n", growth.fresh, growth.fresh_parameter) : "none\n");
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

std::string conclusion(const Summary& summary, bool colour) {
    const std::string tensors = plural(summary.tensors.size(), "tensor");
    const bool once = summary.compared == summary.tensors.size();
    const std::string compared =
        fmt::format("{} over {}", once ? tensors : plural(summary.compared, "comparison") + " of " + tensors,
                    plural(summary.steps, "step"));
    std::string text;
    if (!summary.agree) {
        text = fmt::format("{}: {} of {}", report::painted("they disagree", report::kRed, colour), summary.disagreeing,
                           compared);
        if (summary.disagreeing_alone > 0) {
            text += fmt::format(" and {} of {} alone", summary.disagreeing_alone, plural(summary.alone, "step"));
        }
        text += fmt::format("; the first is {}", summary.first_divergence.value_or("not known"));
    } else {
        text = fmt::format("{}: {}", report::painted("they agree", report::kGreen, colour), compared);
        if (summary.alone > 0) {
            text += fmt::format(", {} alone", plural(summary.alone, "step"));
        }
        text += summary.largest_use > 0
                    ? fmt::format("; closest to its limit came {} at step {}, with {:.2f} % of it",
                                  summary.largest_use_name, summary.largest_use_step, 100 * summary.largest_use)
                    : "; no two values differ";
        if (summary.largest_use_alone > 0) {
            text += fmt::format("; alone {}, with {:.2f} %", summary.largest_use_alone_name,
                                100 * summary.largest_use_alone);
        }
    }
    if (summary.undecided > 0) {
        text += fmt::format("; {} undecided in the chain", summary.undecided);
    }
    text += "\n";
    for (const DriftGrowth& growth : summary.drift) {
        if (!growth.points.empty()) {
            text += in_a_line(growth);
        }
    }
    return text;
}

}  // namespace byhand
