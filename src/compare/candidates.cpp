#include "compare/candidates.h"

#include <algorithm>
#include <utility>

#include "manual/models.h"
#include "manual/stepwise.h"

namespace byhand {

Reference reference_of(const torch_ref::Factory& torch, const NetworkConfig& network, std::size_t rows,
                       std::uint64_t seed, bool quick) {
    const MonteCarloConfig monte_carlo{.seed = seed};
    const auto reference_operations = [&](HandForm form) { return torch.reference_operations(form, network, rows); };
    const auto battery = [network, seed, quick, reference_operations = torch.reference_operations](
                             HandForm form, const MakeGraph& graph) -> std::shared_ptr<Battery> {
        const auto make = [form, graph, reference_operations](const NetworkConfig& sized, std::size_t n) {
            return Form{graph(sized, n), reference_operations(form, sized, n)};
        };
        return quick ? nullptr : std::make_shared<Battery>(network, seed, make);
    };
    return {reference_operations(HandForm::stepwise),
            reference_operations(HandForm::collapsed),
            reference_operations(HandForm::fused),
            battery(HandForm::stepwise, stepwise_graph),
            battery(HandForm::collapsed, collapsed_graph),
            battery,
            {torch.stepwise(network, rows, DType::float32), torch.module_implementation(network, rows),
             torch.stepwise(network, rows, DType::float64)},
            {stepwise_graph(network, rows), monte_carlo},
            {collapsed_graph(network, rows), monte_carlo}};
}

Candidate candidate_of(const std::string& model, const Reference& reference) {
    const bool stepwise = model == "stepwise";
    const ChainModel& chain = stepwise ? reference.chain : reference.collapsed_chain;
    const MakeGraph at_size = stepwise ? stepwise_graph : collapsed_graph;
    return {.model = model,
            .implementation = make_step_implementation(chain.graph),
            .coverage = stepwise ? Coverage::everything : Coverage::required,
            .steps = chain.graph,
            .isolation = {.right = chain.graph,
                          .battery = stepwise ? reference.stepwise_battery : reference.collapsed_battery,
                          .at_size = at_size,
                          .right_at_size = at_size},
            .reference_operations = stepwise ? reference.stepwise.get() : reference.collapsed.get(),
            .chain = &chain};
}

Candidate candidate_of(std::unique_ptr<ExternalImplementation> given, const Reference& reference) {
    const bool in_double = given->in_double();
    Candidate candidate{.model = "mine",
                        .implementation = std::move(given),
                        .coverage = Coverage::given,
                        .steps = reference.chain.graph,
                        .isolation = {},
                        .chain = &reference.collapsed_chain,
                        .in_double = in_double};
    candidate.forms.push_back({reference.chain.graph, reference.stepwise});
    candidate.forms.push_back({reference.collapsed_chain.graph, reference.collapsed});
    candidate.forms.push_back({fused_graph(reference.chain.graph.config, reference.chain.graph.rows), reference.fused});
    return candidate;
}

StepInputs step_inputs_of(const Reference& reference, const TrainingStep& step) {
    const NetworkConfig& network = reference.chain.graph.config;
    Implementation& stepwise = *reference.implementations.stepwise;
    stepwise.load(step.state);
    stepwise.run(step.batch, step.rate);
    return {with_inputs(stepwise.views(), step.batch, network.context, &step.rate), network.vocabulary,
            reference.chain.monte_carlo.seed, reference.chain.graph.ranges};
}

namespace {

// The smallest relative error that is guaranteed to be detected in what the right step makes, on random values.
double smallest_caught(const std::string& makes, Candidate right, StepInputs inputs) {
    right.isolation.battery = nullptr;
    const std::vector<IsolatedStep> all =
        run_isolated(right.steps, right.isolation, *right.reference_operations, inputs, false);
    const auto found = std::ranges::find(all, makes, &IsolatedStep::makes);
    return found != all.end() ? found->probe.catches.value_or(0) : 0;
}

}  // namespace

Spoiled spoiled_by(const Mistake& mistake, const Reference& reference, const TrainingStep& first) {
    Spoiled spoiled{candidate_of("stepwise", reference), {}};
    auto plant = mistake.plant;
    if (mistake.plant_sized != nullptr) {
        const std::vector<std::string> culprits = culprits_in(spoiled.candidate.steps, mistake);
        const double caught = culprits.empty() ? 0
                                               : smallest_caught(culprits.front(), candidate_of("stepwise", reference),
                                                                 step_inputs_of(reference, first));
        plant = [plant_sized = mistake.plant_sized, caught](Graph& graph) { return plant_sized(graph, caught); };
    }
    const auto spoil = [plant = std::move(plant)](Graph& graph) {
        std::vector<std::string> culprits = plant(graph);
        for (StepList* list : graph.lists()) {
            for (Step& step : *list) {
                step.in_double = {};  // the fault is only in float
            }
        }
        return culprits;
    };
    spoiled.culprits = spoil(spoiled.candidate.steps);
    spoiled.candidate.isolation.at_size = [spoil](const NetworkConfig& sized, std::size_t n) {
        Graph graph = stepwise_graph(sized, n);
        spoil(graph);
        return graph;
    };
    spoiled.candidate.implementation = make_step_implementation(spoiled.candidate.steps);
    return spoiled;
}

}  // namespace byhand
