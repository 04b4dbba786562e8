#include "compare/candidates.h"

#include <algorithm>
#include <utility>

#include "manual/models.h"
#include "manual/stepwise.h"

namespace byhand {

Reference reference_of(const torch_ref::Factory& torch, const NetworkConfig& network, std::size_t rows,
                       std::uint64_t seed, bool quick, KnownMistakes mistakes) {
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
            {torch.stepwise(network, rows, DType::float32), torch.module_model(network, rows, Keep::all, {}),
             torch.stepwise(network, rows, DType::float64)},
            {stepwise_graph(network, rows), monte_carlo},
            {collapsed_graph(network, rows), monte_carlo},
            mistakes};
}

Candidate candidate_of(const std::string& model, const Reference& reference) {
    const bool stepwise = model == "stepwise";
    const ChainModel& chain = stepwise ? reference.chain : reference.collapsed_chain;
    const MakeGraph at_size = stepwise ? stepwise_graph : collapsed_graph;
    return {.model = model,
            .implementation = make_step_model(chain.graph, Keep::all),
            .coverage = stepwise ? Coverage::everything : Coverage::required,
            .steps = chain.graph,
            .isolation = {.right = chain.graph,
                          .battery = stepwise ? reference.stepwise_battery : reference.collapsed_battery,
                          .at_size = at_size,
                          .right_at_size = at_size,
                          .mistakes = reference.mistakes},
            .reference_operations = stepwise ? reference.stepwise.get() : reference.collapsed.get(),
            .chain = &chain};
}

StepInputs step_inputs_of(const Reference& reference, const TrainingStep& step) {
    const NetworkConfig& network = reference.network();
    Model& stepwise = *reference.implementations.stepwise;
    stepwise.load(step.state);
    stepwise.run(step.batch, step.rate);
    return {with_inputs(stepwise.views(), step.batch, network.context, &step.rate), network.vocabulary,
            reference.chain.monte_carlo.seed, reference.chain.graph.ranges};
}

}  // namespace byhand
