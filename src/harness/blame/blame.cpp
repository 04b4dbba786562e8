#include "harness/blame/blame.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace byhand {
namespace {

using Makers = std::map<std::string, const Step*>;
using Values = std::vector<const ValueReport*>;

// The culprit that makes this value or overwrites it, or null.
const ValueReport* culprit_behind(const Values& culprits, const std::string& name) {
    const auto found = std::ranges::find_if(culprits, [&](const ValueReport* culprit) {
        const Trial* trial = culprit->evidence();
        return culprit->name == name || (trial != nullptr && trial->overwrites == name);
    });
    return found != culprits.end() ? *found : nullptr;
}

// The nearest culprit that the value depends on, breadth first, or null.
const ValueReport* nearest_culprit(const Makers& makers, const Values& culprits, const std::string& name) {
    std::deque<std::string> open = {name};
    std::set<std::string> seen = {name};
    while (!open.empty()) {
        const std::string next = open.front();
        open.pop_front();
        if (const ValueReport* culprit = culprit_behind(culprits, next)) {
            return culprit;
        }
        const auto maker = makers.find(next);
        if (maker == makers.end()) {
            continue;
        }
        for (const std::string& read : maker->second->reads) {
            if (seen.insert(read).second) {
                open.push_back(read);
            }
        }
    }
    return nullptr;
}

// The place of the value of that name, which is appended if it is missing.
std::size_t place_of(std::vector<ValueReport>& values, const std::string& name) {
    const auto found = std::ranges::find(values, name, &ValueReport::name);
    const auto place = static_cast<std::size_t>(found - values.begin());
    if (found == values.end()) {
        values.emplace_back().name = name;
    }
    return place;
}

void add_isolated(ModelReport& report, std::vector<IsolatedStep> steps) {
    for (IsolatedStep& step : steps) {
        const std::size_t place = place_of(report.values, step.makes);
        ValueReport& value = report.values[place];
        value.function = step.function;
        value.reads = step.reads;
        if (value.in_chain() == nullptr) {
            value.shape = step.shape;
        }
        value.isolated = std::move(step);
        report.isolated.push_back(place);
    }
}

void find_culprits(ModelReport& report, const std::vector<ListFault>& faults) {
    for (const ListFault& fault : faults) {
        const std::size_t place = place_of(report.values, fault.name);
        ValueReport& value = report.values[place];
        if (value.list_fault.empty()) {
            value.list_fault = fault.why;
            value.function = fault.function;
            report.culprits.push_back(place);
        }
    }
    for (const std::size_t place : report.isolated) {
        const ValueReport& value = report.values[place];
        if (value.isolated->wrong() && value.list_fault.empty()) {
            report.culprits.push_back(place);
        }
    }
    for (const std::size_t place : report.culprits) {
        report.values[place].role.kind = Role::Kind::culprit;
    }
}

// Gives each value that fails end to end its role, in the order of findings().
void find_downstream(ModelReport& report, const Graph& network) {
    Makers makers;
    for (const Step* step : all_steps(network)) {
        makers[step->makes] = step;
    }
    // A culprit that fails end to end, or overwrites a value, passes its error on. Another culprit is considered only
    // if the value depends on no such one.
    Values culprits, off;
    for (const ValueReport& culprit : report.at(report.culprits)) {
        culprits.push_back(&culprit);
        const Trial* trial = culprit.evidence();
        if (culprit.fails_in_chain() || (trial != nullptr && !trial->overwrites.empty())) {
            off.push_back(&culprit);
        }
    }
    for (const ChainFinding& found : findings(report)) {
        const auto place = static_cast<std::size_t>(&found.value - report.values.data());
        Role& role = report.values[place].role;
        if (!fails(found.finding.verdict) || role.kind != Role::Kind::none) {
            continue;
        }
        const ValueReport* from = nearest_culprit(makers, off, found.value.name);
        from = from != nullptr ? from : nearest_culprit(makers, culprits, found.value.name);
        role = from != nullptr ? Role{Role::Kind::inherited, from->name} : Role{Role::Kind::unexplained};
        report.downstream.push_back(place);
    }
}

}  // namespace

std::vector<ListFault> list_faults(const Graph& network, const Graph& wanted) {
    std::vector<ListFault> faults;
    const std::set<std::string> all = made_by(wanted);
    std::set<std::string> made;
    for (const Step* step : all_steps(network)) {
        for (const std::string& name : step->reads) {
            if (all.contains(name) && !made.contains(name)) {
                faults.push_back(
                    {step->makes, step->in_float.name, "runs before " + name + ", which it reads, is made"});
            }
        }
        made.insert(step->makes);
    }
    for (const auto* step : all_steps(wanted)) {
        if (!made.contains(step->makes)) {
            faults.push_back({step->makes, step->in_float.name, "no step makes it"});
        }
    }
    return faults;
}

ModelReport blame(std::string model, std::vector<ValueReport> compared, std::vector<IsolatedStep> isolated,
                  const std::vector<ListFault>& faults, const Graph& network) {
    ModelReport report;
    report.model = std::move(model);
    report.values = std::move(compared);
    add_isolated(report, std::move(isolated));
    find_culprits(report, faults);
    find_downstream(report, network);
    return report;
}

}  // namespace byhand
