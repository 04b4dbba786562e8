#include "checks/candidates.h"

#include <algorithm>
#include <set>
#include <utility>

#include "checks/external/judge_external.h"
#include "manual/models.h"
#include "manual/stepwise.h"

namespace byhand {
namespace {

class JudgeByOthers final : public ExternalJudge {
public:
    // `in_double`: the file shows no float. `forms`: those that may have computed the values.
    JudgeByOthers(const Graph& steps, bool in_double, std::vector<Form> forms)
        : steps_(steps), in_double_(in_double), forms_(std::move(forms)) {}

    bool all_in_double(const std::vector<View>& ours, const std::vector<View>& oracle) const override {
        if (!in_double_) {
            return false;
        }
        const std::set<std::string> doubles = computed_in_double(ours, oracle);
        return std::ranges::all_of(ours, [&](const View& view) {
            return doubles.contains(view.name) || find_step(steps_, view.name) == nullptr;
        });
    }

    std::vector<IsolatedStep> judge(const std::vector<View>& ours, const std::vector<View>& reference,
                                    const std::vector<View>& oracle, const Limits& limits) const override {
        return judge_external(ours, steps_, forms_, reference, limits, computed_in_double(ours, oracle));
    }

    void leave_out_unrelated(std::vector<IsolatedStep>& isolated,
                             const std::vector<ValueReport>& values) const override {
        byhand::leave_out_unrelated(isolated, values, steps_);
    }

    void complete(ModelReport& report, const std::vector<View>& ours, const TrainingStep& step,
                  const std::vector<View>& oracle, const Limits& limits) const override {
        std::vector<std::string> unexplained;
        for (const ValueReport& value : report.at(report.downstream)) {
            if (value.role.kind == Role::Kind::unexplained && !value.isolated) {
                unexplained.push_back(value.name);
            }
        }
        report.missing = missing_for(unexplained, ours, steps_);
        if (std::ranges::all_of(report.at(report.culprits), [](const ValueReport& culprit) {
                return culprit.evidence() != nullptr && culprit.evidence()->mistake == nullptr;
            })) {
            report.mistake = mistake_that_makes(ours, steps_, step, oracle, limits);
        }
    }

private:
    const Graph& steps_;  // the reference's
    bool in_double_;
    std::vector<Form> forms_;
};

}  // namespace

Candidate external_candidate(std::unique_ptr<ExternalModel> given, const Reference& reference) {
    const Graph& steps = reference.chain.graph;
    std::vector<Form> forms;
    forms.push_back({steps, reference.stepwise});
    forms.push_back({reference.collapsed_chain.graph, reference.collapsed});
    forms.push_back({fused_graph(reference.network(), reference.rows()), reference.fused});
    const bool in_double = given->in_double();
    return {.model = "mine",
            .implementation = std::move(given),
            .coverage = Coverage::given,
            .steps = steps,
            .isolation = {},
            .chain = &reference.collapsed_chain,
            .external = std::make_shared<const JudgeByOthers>(steps, in_double, std::move(forms))};
}

namespace {

// The smallest relative error that is guaranteed to be detected in what the right step makes, on random values.
double smallest_caught(const std::string& makes, Candidate right, StepInputs inputs) {
    right.isolation.battery = nullptr;
    const std::vector<IsolatedStep> all =
        run_isolated(right.steps, right.isolation, *right.reference_operations, inputs, false);
    const auto found = std::ranges::find(all, makes, &IsolatedStep::makes);
    return found != all.end() ? found->on_random().catches.value_or(0) : 0;
}

}  // namespace

PlantedCandidate with_mistake(const Mistake& mistake, const Reference& reference, const TrainingStep& first) {
    PlantedCandidate planted{candidate_of("stepwise", reference), {}};
    auto plant = mistake.plant;
    if (mistake.plant_sized != nullptr) {
        const std::vector<std::string> culprits = culprits_in(planted.candidate.steps, mistake);
        const double caught = culprits.empty() ? 0
                                               : smallest_caught(culprits.front(), candidate_of("stepwise", reference),
                                                                 step_inputs_of(reference, first));
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
    planted.culprits = plant_in(planted.candidate.steps);
    planted.candidate.isolation.at_size = [plant_in](const NetworkConfig& sized, std::size_t n) {
        Graph graph = stepwise_graph(sized, n);
        plant_in(graph);
        return graph;
    };
    planted.candidate.implementation = make_step_model(planted.candidate.steps, Keep::all);
    return planted;
}

}  // namespace byhand
