#include "checks/candidates.h"

#include <algorithm>
#include <set>
#include <utility>

#include "checks/external/judge_external.h"
#include "harness/blame/blame.h"
#include "manual/models.h"
#include "manual/stepwise.h"

namespace byhand {
namespace {

// External values: nothing is run, and each is judged by the others.
struct ExternalCandidate final : Candidate {
    bool shows_no_float;
    std::vector<SizedForm> forms;  // those that may have computed the values

    ExternalCandidate(std::unique_ptr<ExternalModel> given, const Reference& reference)
        : Candidate("mine", nullptr, reference.chain.graph, &reference.collapsed_chain),
          shows_no_float(given->in_double()) {
        implementation = std::move(given);
        coverage = Coverage::given;
        forms.push_back(reference.stepwise.right);
        forms.push_back(reference.collapsed.right);
        forms.push_back(reference.isolation(HandForm::fused, fused_graph).right);
    }

    std::vector<View> ours() const { return implementation->views(); }

    // Whether all values may have been computed in double.
    bool all_in_double(const JudgedStep& at) const {
        if (!shows_no_float) {
            return false;
        }
        const std::set<std::string> doubles = computed_in_double(ours(), at.reference.oracle->views());
        return std::ranges::all_of(ours(), [&](const View& view) {
            return doubles.contains(view.name) || find_step(steps, view.name) == nullptr;
        });
    }

    std::vector<IsolatedStep> isolated(const JudgedStep& at) const override {
        const Model& by = all_in_double(at) ? *at.reference.oracle : *at.reference.stepwise;
        const std::vector<View> inputs = with_inputs(by.views(), at.step.batch, steps.config.context, &at.step.rate);
        return judge_external(ours(), steps, forms, inputs, limits(at, {}),
                              computed_in_double(ours(), at.reference.oracle->views()));
    }

    // The wider of its chain's and the comparison's; in double if all values were computed in double.
    Limits limits(const JudgedStep& at, const std::vector<IsolatedStep>& isolated) const override {
        const OtherRounding other = rounding_of(isolated, true);
        Limits both = wider(at.limits(*chain, at.own, other), at.limits(at.chain, at.step.state, other));
        return all_in_double(at) ? in_double(std::move(both), steps) : both;
    }

    // Leaves out wrong steps that do not concern the external values, and adds the names of missing values that would
    // explain the rest, and a known mistake that makes all of the values.
    ModelReport report(const JudgedStep& at, std::vector<ValueReport> values, std::vector<IsolatedStep> isolated,
                       const Limits& limits) const override {
        leave_out_unrelated(isolated, values, steps);
        ModelReport made = blame(model, std::move(values), std::move(isolated), {}, steps);
        std::vector<std::string> unexplained;
        for (const ValueReport& value : made.at(made.downstream)) {
            if (value.role.kind == Role::Kind::unexplained && !value.isolated) {
                unexplained.push_back(value.name);
            }
        }
        made.missing = missing_for(unexplained, ours(), steps);
        if (std::ranges::all_of(made.at(made.culprits), [](const ValueReport& culprit) {
                return culprit.evidence() != nullptr && culprit.evidence()->mistake == nullptr;
            })) {
            made.mistake = mistake_that_makes(ours(), steps, at.step, at.reference.oracle->views(), limits);
        }
        return made;
    }
};

}  // namespace

std::unique_ptr<Candidate> external_candidate(std::unique_ptr<ExternalModel> given, const Reference& reference) {
    return std::make_unique<ExternalCandidate>(std::move(given), reference);
}

namespace {

// The smallest relative error that is guaranteed to be detected in what the right step makes, on random values.
double smallest_caught(const std::string& makes, const Reference& reference, const TrainingStep& step) {
    StepInputs inputs = step_inputs_of(reference, step);
    const Isolation& stepwise = reference.stepwise;
    const std::vector<IsolatedStep> all = run_isolated(stepwise.right.graph, stepwise, inputs, false);
    const auto found = std::ranges::find(all, makes, &IsolatedStep::makes);
    return found != all.end() ? found->on_random().catches.value_or(0) : 0;
}

}  // namespace

PlantedCandidate with_mistake(const Mistake& mistake, const Reference& reference, const TrainingStep& first) {
    PlantedCandidate planted{candidate_of("stepwise", reference), {}};
    auto plant = mistake.plant;
    if (mistake.plant_sized != nullptr) {
        const std::vector<std::string> culprits = culprits_in(reference.chain.graph, mistake);
        const double caught = culprits.empty() ? 0 : smallest_caught(culprits.front(), reference, first);
        plant = [plant_sized = mistake.plant_sized, caught](Graph& graph) { return plant_sized(graph, caught); };
    }
    const auto plant_in = [plant = std::move(plant)](Graph& graph) {
        std::vector<std::string> culprits = plant(graph);
        for (StepList* list : graph.lists()) {
            for (Step& step : *list) {
                step.in_double = {};  // the fault is only in float
            }
        }
        return culprits;
    };
    StepCandidate& candidate = *planted.candidate;
    planted.culprits = plant_in(candidate.steps);
    candidate.isolation.judged_at_size = [plant_in](const NetworkConfig& sized, std::size_t n) {
        Graph graph = stepwise_graph(sized, n);
        plant_in(graph);
        return graph;
    };
    candidate.implementation = make_step_model(candidate.steps, Keep::all);
    return planted;
}

}  // namespace byhand
