// Results of comparisons as they come out, for the tests of what shows them.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/change_network.h"
#include "documents/presentation.h"
#include "harness/blame/blame.h"
#include "harness/end_to_end/summary.h"
#include "harness/isolated/shrink.h"
#include "manual/operation.h"

namespace byhand::test {

// A finding end to end, by the value's name.
struct NamedFinding : Finding {
    std::string name;
};

inline NamedFinding within(const std::string& name, const Shape& shape, double difference, double limit) {
    NamedFinding r;
    r.name = name;
    r.shape = shape;
    r.difference = difference;
    r.ulp = 12;
    r.worst = Worst{.position = count(shape) - 1, .ours = 0.5, .right = 0.125, .reference = -0.25};
    r.error = 3e-9;
    r.reference_error = 4e-9;
    r.scale = 0.75;
    r.limit = limit;
    r.used = difference / limit;
    r.verdict = difference <= limit ? Verdict::within : Verdict::mismatch;
    return r;
}

inline NamedFinding exact(const std::string& name, const Shape& shape) {
    NamedFinding r = within(name, shape, 0, 1e-6);
    r.bit_equal = true;
    r.ulp = 0;
    r.worst = Worst{.position = 0, .ours = 7, .right = 7, .reference = 7};
    r.verdict = Verdict::exact;
    return r;
}

inline NamedFinding missing(const std::string& name) {
    NamedFinding r;
    r.name = name;
    r.shape = {3};
    r.note = "LibTorch has none";
    return r;
}

// The report of that model, which is appended where there is none.
inline ModelReport& report_of(ComparedStep& step, const std::string& model = "stepwise") {
    const auto found = std::ranges::find(step.models, model, &ModelReport::model);
    if (found != step.models.end()) {
        return *found;
    }
    step.models.emplace_back().model = model;
    return step.models.back();
}

// The value of that name, which is appended where there is none.
inline ValueReport& value_in(ModelReport& report, const std::string& name) {
    const auto found = std::ranges::find(report.values, name, &ValueReport::name);
    if (found != report.values.end()) {
        return *found;
    }
    report.values.emplace_back().name = name;
    return report.values.back();
}

inline ValueReport& add_finding(ComparedStep& step, const NamedFinding& finding, const std::string& model = "stepwise",
                                Against against = Against::operations) {
    ValueReport& value = value_in(report_of(step, model), finding.name);
    value.shape = finding.shape;
    (against == Against::operations ? value.operations : value.module) = finding;
    return value;
}

inline ComparedStep step_of(std::size_t number, const std::vector<NamedFinding>& results,
                            const std::string& model = "stepwise", Against against = Against::operations) {
    ComparedStep step;
    step.step = number;
    step.loss_manual = 3.25;
    step.loss_torch = 3.5;
    for (const NamedFinding& result : results) {
        add_finding(step, result, model, against);
    }
    step.X = {0, 0, 1, 2, 3, 1};  // two rows of three characters
    step.Y = {2, 0};
    return step;
}

// A trial in which an error takes this share of its limit.
inline Trial trial(double used, Verdict verdict = Verdict::within) {
    Trial t;
    t.verdict = used > 1 ? Verdict::mismatch : verdict;
    t.error = used * 1e-7;
    t.scale = 0.5;
    t.used = used;
    t.catches = 4e-7;
    t.worst = Worst{.position = 1, .ours = 0.25 + used * 1e-7, .right = 0.25, .reference = {}};
    t.limit = 1e-7;
    return t;
}

inline IsolatedStep isolated(const std::string& makes, const Trial& real, const Trial& probe) {
    IsolatedStep step{makes, "function_of_" + makes, {"C", "X"}, {4, 2}, {real, probe}};
    step.trials[1].input = TrialInput::random;
    return step;
}

// The first model with its isolated steps, and the roles that follow from them: what fails end to end inherits from
// `reads`, each a value and the one it is made of.
inline ComparedStep with_isolated(ComparedStep step, const std::vector<IsolatedStep>& steps,
                                  const std::vector<std::pair<std::string, std::string>>& reads = {},
                                  const std::vector<ListFault>& faults = {}) {
    Graph network;
    for (const auto& [makes, from] : reads) {
        Step& one = network.backward.emplace_back();
        one.makes = makes;
        one.reads = {from};
    }
    ModelReport& report = step.models.empty() ? report_of(step) : step.models.front();
    report = blame(report.model, report.values, steps, faults, network);
    return step;
}

// What a comparison says of a value whose step has shown this in isolation.
inline ValueReport reported(const IsolatedStep& step, Verdict in_chain = Verdict::mismatch) {
    ValueReport value;
    value.name = step.makes;
    value.shape = step.shape;
    value.operations.emplace().verdict = in_chain;
    return blame("stepwise", {value}, {step}, {}, {}).values.at(0);
}

// The same of a function in double.
inline Trial in_double(Trial trial, TrialInput input) {
    trial.input = input;
    trial.in_double = true;
    return trial;
}

inline std::size_t battery_size(const IsolatedStep& step) {
    return static_cast<std::size_t>(std::ranges::count(step.trials, TrialInput::battery, &Trial::input));
}

// The first culprit's trial on the batch.
inline Trial& evidence_in(ComparedStep& step) {
    ModelReport& report = step.models.at(0);
    return report.values.at(report.culprits.at(0)).isolated->trials.front();
}

// The smallest input of a step that reads one value, {3}.
inline std::shared_ptr<SmallestInput> smallest_input(const std::string& makes, const std::string& reads) {
    auto input = std::make_shared<SmallestInput>();
    input->makes = makes;
    input->reads = {reads};
    input->values.put({reads, {1}}, std::vector<double>{3});
    return input;
}

inline bool everything(const std::string& /*name*/) {
    return true;
}

// V 4, T 3, E 2, one hidden layer of 5.
inline Presentation presentation(Filter shows = everything) {
    Presentation how;
    how.subject = "stepwise";
    how.rows = 2;
    how.seed = 7;
    how.recipe = "notes";
    how.torch_version = "1.13.0";
    how.network.vocabulary = 4;
    how.network.context = 3;
    how.network.embedding = 2;
    test::set(how.network, &ShortForm::hidden, {5});
    how.glossary = glossary_of(how.network);
    how.characters = {".", "e", "m", "q"};
    how.source = [](const std::string& function) {
        return function.starts_with("function_of_")
                   ? SourceLine{"src/manual/some.h:17", function.substr(12) + " = what it should be"}
                   : SourceLine{};
    };
    how.shows = std::move(shows);
    return how;
}

inline Summary summary_of(const std::vector<ComparedStep>& steps, const std::set<Verdict>& allowed = {}) {
    Summary summary;
    summary.allowed = allowed;
    for (const ComparedStep& step : steps) {
        add(summary, step);
    }
    return summary;
}

}  // namespace byhand::test
