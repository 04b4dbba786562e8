#include "harness/blame.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <set>

namespace byhand {
namespace {

Culprit culprit_of(const StepAlone& step) {
    const Trial& trial = *step.telling();
    const std::string on = !step.not_on_batch() ? "this batch's values" : trial.on.empty() ? "random values" : trial.on;
    const std::string where = (step.only_in_double() ? "in double, on " : "on ") + on;
    return {step.makes,
            trial.by.empty() ? step.function : trial.by,
            trial.note.empty()    ? where
            : step.not_on_batch() ? trial.note + ", " + where
                                  : trial.note,
            trial,
            step.without_effect(),
            step.not_on_batch(),
            step.shape};
}

using Makers = std::map<std::string, const Step*>;

// The culprit that spoils what stands under this name: makes it, or writes over it. Empty where there is none.
std::string culprit_behind(const std::vector<Culprit>& culprits, const std::string& name) {
    for (const Culprit& culprit : culprits) {
        if (culprit.name == name || (culprit.trial && culprit.trial->overwrites == name)) {
            return culprit.name;
        }
    }
    return "";
}

// Of those that the name depends on, breadth first; empty where there is none.
std::string nearest_culprit(const Makers& makers, const std::vector<Culprit>& culprits, const std::string& name) {
    std::deque<std::string> open = {name};
    std::set<std::string> seen = {name};
    while (!open.empty()) {
        const std::string next = open.front();
        open.pop_front();
        if (std::string culprit = culprit_behind(culprits, next); !culprit.empty()) {
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
    return "";
}

}  // namespace

std::vector<Culprit> list_faults(const Graph& network, const Graph& wanted) {
    std::vector<Culprit> faults;
    const std::set<std::string> all = made_by(wanted);
    std::set<std::string> made;
    for (const Step* step : all_steps(network)) {
        for (const std::string& name : step->reads) {
            if (all.contains(name) && !made.contains(name)) {
                faults.push_back(
                    {step->makes, step->in_float.name, "runs before " + name + ", which it reads, is made", {}, false});
            }
        }
        made.insert(step->makes);
    }
    for (const auto* step : all_steps(wanted)) {
        if (!made.contains(step->makes)) {
            faults.push_back({step->makes, step->in_float.name, "no step makes it", {}, false});
        }
    }
    return faults;
}

std::vector<Culprit> find_culprits(const std::vector<Culprit>& faults, const std::vector<StepAlone>& alone) {
    std::vector<Culprit> culprits;
    const auto known = [&](const std::string& name) {
        return std::ranges::any_of(culprits, [&](const Culprit& c) { return c.name == name; });
    };
    for (const Culprit& fault : faults) {
        if (!known(fault.name)) {
            culprits.push_back(fault);
        }
    }
    for (const StepAlone& step : alone) {
        if (step.wrong() && !known(step.makes)) {
            culprits.push_back(culprit_of(step));
        }
    }
    return culprits;
}

std::vector<Victim> find_victims(const Graph& network, const std::vector<Culprit>& culprits,
                                 const std::vector<std::string>& failing) {
    Makers maker;
    for (const Step* step : all_steps(network)) {
        maker[step->makes] = step;
    }
    // What is off in the chain itself, or puts off another, hands it on; a culprit that is not may do so where there is
    // no such one.
    const auto is_off = [&](const Culprit& culprit) {
        return std::ranges::find(failing, culprit.name) != failing.end() ||
               (culprit.trial && !culprit.trial->overwrites.empty());
    };
    std::vector<Culprit> off;
    std::ranges::copy_if(culprits, std::back_inserter(off), is_off);
    std::vector<Victim> victims;
    for (const std::string& name : failing) {
        if (std::ranges::find(culprits, name, &Culprit::name) == culprits.end()) {
            const std::string from = nearest_culprit(maker, off, name);
            victims.push_back({name, from.empty() ? nearest_culprit(maker, culprits, name) : from});
        }
    }
    return victims;
}

}  // namespace byhand
