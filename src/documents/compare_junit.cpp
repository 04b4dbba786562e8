#include <fmt/format.h>

#include <algorithm>

#include "documents/compare.h"
#include "documents/phrases.h"
#include "report/writers.h"

namespace byhand {
namespace {

using report::Case;
using report::Outcome;

std::vector<Case> cases_of(const ComparedStep& step, const Summary& summary, const Presentation& how) {
    const Wording wording = report::wording(how, step);
    const Table tensors = tensor_table("", how.whose);
    std::vector<Case> cases;
    for (const ChainFinding& found : findings(step)) {
        if (how.shows(found.value.name)) {
            const std::string place = report::where(found.value.name, found.finding, wording);
            const std::string role = to_string(found.value.role);
            cases.push_back(
                case_of_row(tensors, tensor_row(step.step, found, wording, summary.allowed),
                            found.model.model + "." + to_string(found.against),
                            (place.empty() ? found.value.name : place) + (role.empty() ? "" : ", " + role)));
        }
    }
    for (const ModelReport& model : step.models) {
        for (const ValueReport& value : model.at(model.isolated)) {
            if (how.shows(value.name)) {
                cases.push_back(report::case_of(value, model.model, wording, summary, how));
            }
        }
        // Faults of the lists belong to no step: a value that no step computes, or a step that runs too early.
        for (const ValueReport& culprit : model.at(model.culprits)) {
            if (!culprit.list_fault.empty() && how.shows(culprit.name)) {
                cases.push_back({model.model + ".order", culprit.name, Outcome::failed, "mismatch",
                                 culprit.name + " " + culprit.list_fault, ""});
            }
        }
    }
    return cases;
}

}  // namespace

Case report::case_of(const ValueReport& value, const std::string& model, const Wording& wording, const Summary& summary,
                     const Presentation& how) {
    const IsolatedStep& step = *value.isolated;
    const Trial& trial = step.wrong() ? *step.telling() : step.on_batch();
    std::string why =
        trial.note.empty() ? report::where(step.makes, step.shape, trial, step.not_on_batch(), wording) : trial.note;
    for (const std::string& hint : report::hints_of(trial)) {
        why += ", " + hint;
    }
    Case one = case_of_row(isolated_table(""), isolated_row(model, value, summary.allowed), model + ".alone", why);
    const SourceLine line = how.source(step.function);
    const std::string place = line.place.empty() ? "" : report::place_in_words(how, line);
    one.text += fmt::format("{} {}\n{}\n", step.function, place, line.formula);
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
