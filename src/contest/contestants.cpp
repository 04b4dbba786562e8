#include "contest/contestants.h"

#include "manual/models.h"
#include "manual/pieces.h"
#include "manual/stepwise.h"

namespace byhand {

Reference reference_of(const torch_ref::Factory& torch, const NetworkConfig& network, std::size_t rows,
                       std::uint64_t seed) {
    const SpreadConfig spread{.seed = seed};
    return {torch.stepwise_answers(network, rows),
            torch.collapsed_answers(network, rows),
            torch.fused_answers(network, rows),
            {torch.stepwise(network, rows, DType::float32), torch.module_side(network, rows),
             torch.stepwise(network, rows, DType::float64)},
            {stepwise_network<double>(network, rows), stepwise_network<Rounded>(network, rows), spread},
            {collapsed_network<double>(network, rows), collapsed_network<Rounded>(network, rows), spread}};
}

Contestant contestant_of(const std::string& model, const NetworkConfig& network, std::size_t rows,
                         const Reference& reference) {
    if (model == "fused") {
        return {.model = model,
                .side = make_hand_side(HandForm::fused, network, rows, DType::float32),
                .steps = fused_pieces<float>(network, rows),
                .judge = {.bounds = fused_pieces<Rounded>(network, rows),
                          .in_double = fused_pieces<double>(network, rows),
                          .leeway = Leeway::order},
                .answers = reference.fused.get(),
                .chain = &reference.collapsed_chain};
    }
    const bool stepwise = model == "stepwise";
    const auto network_of = [&]<class T>(T) {
        return stepwise ? stepwise_network<T>(network, rows) : collapsed_network<T>(network, rows);
    };
    return {.model = model,
            .side = make_step_side(network_of(float())),
            .coverage = stepwise ? Coverage::everything : Coverage::required,
            .steps = network_of(float()),
            .judge = {.bounds = network_of(Rounded()), .in_double = network_of(double())},
            .answers = stepwise ? reference.stepwise.get() : reference.collapsed.get(),
            .chain = stepwise ? &reference.chain : &reference.collapsed_chain};
}

Contestant contestant_of(std::unique_ptr<GivenSide> given, const NetworkConfig& network, std::size_t rows,
                         const Reference& reference) {
    const bool in_double = given->in_double();
    Contestant contestant{.model = "mine",
                          .side = std::move(given),
                          .coverage = Coverage::given,
                          .steps = stepwise_network<float>(network, rows),
                          .judge = {},
                          .chain = &reference.collapsed_chain,
                          .in_double = in_double};
    contestant.forms.push_back({stepwise_network<Rounded>(network, rows), reference.stepwise.get()});
    contestant.forms.push_back({collapsed_network<Rounded>(network, rows), reference.collapsed.get()});
    contestant.forms.push_back({fused_network<Rounded>(network, rows), reference.fused.get()});
    return contestant;
}

Spoiled spoiled_by(const Mistake& mistake, const NetworkConfig& network, std::size_t rows, const Reference& reference,
                   const Catches& catches) {
    Spoiled spoiled{contestant_of("stepwise", network, rows, reference), {}};
    spoiled.culprits = mistake.plant(spoiled.contestant.steps, catches);
    spoiled.contestant.side = make_step_side(spoiled.contestant.steps);
    return spoiled;
}

Questions questions_of(const Reference& reference, const NetworkConfig& network, const Tensors<float>& state,
                       const Batch& batch, float rate) {
    Side& witness = *reference.witnesses.stepwise;
    witness.load(state);
    witness.run(batch, rate);
    return {with_given(witness.views(), batch, network.context, rate), network.vocabulary, reference.chain.spread.seed};
}

Catches catches_of(const NetworkConfig& network, std::size_t rows, const Reference& reference,
                   const Tensors<float>& state, const Batch& batch, float rate) {
    const Contestant right = contestant_of("stepwise", network, rows, reference);
    Catches catches;
    Questions questions = questions_of(reference, network, state, batch, rate);
    for (const StepAlone& step : run_alone(right.steps, right.judge, *right.answers, questions)) {
        catches[step.makes] = step.probe.catches;
    }
    return catches;
}

}  // namespace byhand
