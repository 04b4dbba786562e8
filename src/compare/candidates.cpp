#include "compare/candidates.h"

#include "manual/models.h"
#include "manual/stepwise.h"

namespace byhand {

Reference reference_of(const torch_ref::Factory& torch, const NetworkConfig& network, std::size_t rows,
                       std::uint64_t seed, bool quick, KnownMistakes mistakes) {
    const MonteCarloConfig monte_carlo{.seed = seed};
    const auto isolation = [=, operations = torch.reference_operations](HandForm of, const MakeGraph& graph) {
        const Form form{
            graph, [of, operations](const NetworkConfig& sized, std::size_t n) { return operations(of, sized, n); }};
        return Isolation{.right = form.at(network, rows),
                         .battery = quick ? nullptr : std::make_shared<Battery>(network, seed, form),
                         .judged_at_size = graph,
                         .form = form,
                         .mistakes = mistakes};
    };
    return {.stepwise = isolation(HandForm::stepwise, stepwise_graph),
            .collapsed = isolation(HandForm::collapsed, collapsed_graph),
            .isolation = isolation,
            .implementations = {torch.stepwise(network, rows, DType::float32),
                                torch.module_model(network, rows, Keep::all, {}),
                                torch.stepwise(network, rows, DType::float64)},
            .chain = {stepwise_graph(network, rows), monte_carlo},
            .collapsed_chain = {collapsed_graph(network, rows), monte_carlo}};
}

std::unique_ptr<StepCandidate> candidate_of(const std::string& model, const Reference& reference) {
    const bool stepwise = model == "stepwise";
    const ChainModel& chain = stepwise ? reference.chain : reference.collapsed_chain;
    auto candidate = std::make_unique<StepCandidate>(model, make_step_model(chain.graph, Keep::all), chain.graph,
                                                     &chain, stepwise ? reference.stepwise : reference.collapsed);
    candidate->coverage = stepwise ? Coverage::everything : Coverage::required;
    return candidate;
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
