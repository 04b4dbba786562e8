#include <fmt/format.h>

#include <algorithm>

#include "documents/compare.h"
#include "documents/phrases.h"
#include "report/xml.h"

namespace byhand {
namespace {

using report::Case;
using report::Outcome;

// What is allowed although it is no agreement, and what the chain can't decide, is skipped: nothing was shown.
Outcome outcome_of(Verdict verdict, const Summary& summary) {
    return agrees(verdict)                         ? Outcome::passed
           : contradicts(verdict, summary.allowed) ? Outcome::failed
                                                   : Outcome::skipped;
}

std::string figures(const Finding& r) {
    std::string text = r.note.empty() ? "" : r.note + "\n";
    const auto add = [&](const char* what, const std::optional<double>& value) {
        if (value) {
            text += fmt::format("{}: {}\n", what, *value);
        }
    };
    add("largest difference from LibTorch", r.difference);
    if (r.ulp) {
        text += fmt::format("largest difference in ULP: {}\n", *r.ulp);
    }
    add("error against the oracle", r.error);
    add("LibTorch's error against the oracle", r.reference_error);
    add("largest magnitude", r.scale);
    add("limit at the worst element", r.limit);
    add("share of the limit used", r.used);
    if (r.worst) {
        add("worst element, by hand", r.worst->ours);
        add("worst element, by LibTorch", r.worst->reference);
        add("worst element, by the oracle", r.worst->right);
    }
    return text;
}

Case case_of(const ChainFinding& found, const Wording& wording, const Summary& summary) {
    const Finding& r = found.finding;
    const std::string& name = found.value.name;
    Case one{found.model.model + "." + to_string(found.against),
             name,
             outcome_of(r.verdict, summary),
             to_string(r.verdict),
             "",
             figures(r)};
    const std::string place = report::where(name, r, wording), role = to_string(found.value.role);
    one.message = one.type + ": " + (place.empty() ? name : place);
    if (!role.empty()) {
        one.message += ", " + role;
    }
    return one;
}

// Nothing of a trial that there was not.
std::string figures(const char* on, const Trial& trial) {
    if (trial.verdict == Verdict::not_given) {
        return "";
    }
    std::string text =
        fmt::format("{}: {}; error {}, limit {}, share of the limit used {}\n", on, to_string(trial.verdict),
                    trial.error.value_or(0), trial.limit.value_or(0), trial.used.value_or(0));
    text += trial.note.empty() ? "" : trial.note + "\n";
    for (const std::string& hint : report::hints_of(trial)) {
        text += hint + "\n";
    }
    return text;
}

// The faults of the lists are no step's own: a step that nobody makes, or one that runs too early.
Case case_of_fault(const ValueReport& value, const std::string& model) {
    return {model + ".order", value.name, Outcome::failed, "mismatch", value.name + " " + value.list_fault, ""};
}

std::vector<Case> cases_of(const ComparedStep& step, const Summary& summary, const Presentation& how) {
    const Wording wording = report::wording(how, step);
    std::vector<Case> cases;
    for (const ChainFinding& found : findings(step)) {
        if (how.shows(found.value.name)) {
            cases.push_back(case_of(found, wording, summary));
        }
    }
    for (const ModelReport& model : step.models) {
        for (const ValueReport& value : model.at(model.isolated)) {
            if (how.shows(value.name)) {
                cases.push_back(report::case_of(*value.isolated, model.model, wording, summary, how));
            }
        }
        for (const ValueReport& culprit : model.at(model.culprits)) {
            if (!culprit.list_fault.empty() && how.shows(culprit.name)) {
                cases.push_back(case_of_fault(culprit, model.model));
            }
        }
    }
    return cases;
}

}  // namespace

Case report::case_of(const IsolatedStep& step, const std::string& model, const Wording& wording, const Summary& summary,
                     const Presentation& how) {
    Case one{model + ".alone",
             step.makes,
             outcome_of(step.verdict(), summary),
             to_string(step.verdict()),
             report::verdict_in_words(step),
             figures("on this batch", step.real) + figures("on random values", step.probe)};
    const Trial& trial = step.wrong() ? *step.telling() : step.real;
    if (step.only_in_double()) {
        one.text += figures("in double", trial);
    }
    one.message +=
        ": " +
        (trial.note.empty() ? report::where(step.makes, step.shape, trial, step.not_on_batch(), wording) : trial.note);
    for (const std::string& hint : report::hints_of(trial)) {
        one.message += ", " + hint;
    }
    const SourceLine line = report::source_line(how, step.function);
    const std::string place_of_function = line.place.empty() ? "" : report::place_in_words(how, line);
    one.text += fmt::format("{} {}\n{}\n", step.function, place_of_function, line.formula);
    return one;
}

std::vector<report::Suite> compare_suites(const Presentation& how, const Summary& summary,
                                          const std::vector<ComparedStep>& steps) {
    std::vector<report::Suite> suites;
    suites.reserve(steps.size());
    for (const ComparedStep& step : steps) {
        suites.push_back({fmt::format("step {}", step.step),
                          "byhand.compare",
                          {{"recipe", how.recipe}, {"torch", how.torch_version}},
                          cases_of(step, summary, how)});
    }
    const auto has_failure = [](const report::Suite& suite) {
        return std::ranges::find(suite.cases, Outcome::failed, &Case::outcome) != suite.cases.end();
    };
    if (!summary.agree && !suites.empty() && std::ranges::none_of(suites, has_failure)) {
        const std::string first = summary.first_divergence.value_or("not known");
        suites.back().cases.push_back({summary.first_divergence_model + ".hidden", first, Outcome::failed, "mismatch",
                                       fmt::format("{} disagrees, and is not shown here", first), ""});
    }
    return suites;
}

}  // namespace byhand
