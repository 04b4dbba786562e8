#include "candidates/candidates.h"

#include "manual/models.h"
#include "manual/pieces.h"
#include "manual/stepwise.h"

namespace byhand {

namespace {

std::shared_ptr<Battery> battery_of(const NetworkConfig& network, std::uint64_t seed,
                                    StepNetwork<Rounded> (*bounds)(const NetworkConfig&, std::size_t),
                                    std::unique_ptr<Answers> (*answers)(const NetworkConfig&, std::size_t)) {
    return std::make_shared<Battery>(network, seed, [=](const NetworkConfig& sized, std::size_t rows) {
        return Form{bounds(sized, rows), answers(sized, rows)};
    });
}

}  // namespace

Reference reference_of(const torch_ref::Factory& torch, const NetworkConfig& network, std::size_t rows,
                       std::uint64_t seed, bool quick) {
    const SpreadConfig spread{.seed = seed};
    const auto battery = [&](auto bounds, auto answers) {
        return quick ? nullptr : battery_of(network, seed, bounds, answers);
    };
    return {torch.stepwise_answers(network, rows),
            torch.collapsed_answers(network, rows),
            torch.fused_answers(network, rows),
            battery(stepwise_network<Rounded>, torch.stepwise_answers),
            battery(collapsed_network<Rounded>, torch.collapsed_answers),
            battery(fused_pieces<Rounded>, torch.fused_answers),
            {torch.stepwise(network, rows, DType::float32), torch.module_side(network, rows),
             torch.stepwise(network, rows, DType::float64)},
            {stepwise_network<double>(network, rows), stepwise_network<Rounded>(network, rows), spread},
            {collapsed_network<double>(network, rows), collapsed_network<Rounded>(network, rows), spread}};
}

Candidate candidate_of(const std::string& model, const NetworkConfig& network, std::size_t rows,
                       const Reference& reference) {
    if (model == "fused") {
        return {.model = model,
                .side = make_hand_side(HandForm::fused, network, rows, DType::float32),
                .steps = fused_pieces<float>(network, rows),
                .judge = {.bounds = fused_pieces<Rounded>(network, rows),
                          .in_double = fused_pieces<double>(network, rows),
                          .leeway = Leeway::order,
                          .battery = reference.fused_battery.get(),
                          .at_size =
                              [](const NetworkConfig& sized, std::size_t n) {
                                  return InBoth{fused_pieces_on_all_targets(sized, n), fused_pieces<double>(sized, n)};
                              },
                          .right = fused_network<float>},
                .answers = reference.fused.get(),
                .chain = &reference.collapsed_chain};
    }
    const bool stepwise = model == "stepwise";
    const auto at_size = [stepwise](const NetworkConfig& sized, std::size_t n) {
        return stepwise ? InBoth{stepwise_network<float>(sized, n), stepwise_network<double>(sized, n)}
                        : InBoth{collapsed_network<float>(sized, n), collapsed_network<double>(sized, n)};
    };
    InBoth both = at_size(network, rows);
    return {.model = model,
            .side = make_step_side(both.in_float),
            .coverage = stepwise ? Coverage::everything : Coverage::required,
            .steps = std::move(both.in_float),
            .judge = {.bounds = stepwise ? stepwise_network<Rounded>(network, rows)
                                         : collapsed_network<Rounded>(network, rows),
                      .in_double = std::move(both.in_double),
                      .battery = (stepwise ? reference.stepwise_battery : reference.collapsed_battery).get(),
                      .at_size = at_size,
                      .right = stepwise ? stepwise_network<float> : collapsed_network<float>},
            .answers = stepwise ? reference.stepwise.get() : reference.collapsed.get(),
            .chain = stepwise ? &reference.chain : &reference.collapsed_chain};
}

Candidate candidate_of(std::unique_ptr<GivenSide> given, const NetworkConfig& network, std::size_t rows,
                       const Reference& reference) {
    const bool in_double = given->in_double();
    Candidate candidate{.model = "mine",
                        .side = std::move(given),
                        .coverage = Coverage::given,
                        .steps = stepwise_network<float>(network, rows),
                        .judge = {},
                        .chain = &reference.collapsed_chain,
                        .in_double = in_double};
    candidate.forms.push_back({stepwise_network<Rounded>(network, rows), reference.stepwise});
    candidate.forms.push_back({collapsed_network<Rounded>(network, rows), reference.collapsed});
    candidate.forms.push_back({fused_network<Rounded>(network, rows), reference.fused});
    return candidate;
}

Spoiled spoiled_by(const Mistake& mistake, const NetworkConfig& network, std::size_t rows, const Reference& reference,
                   const Catches& catches) {
    Spoiled spoiled{candidate_of("stepwise", network, rows, reference), {}};
    spoiled.culprits = mistake.plant(spoiled.candidate.steps, catches);
    spoiled.candidate.judge.at_size = [plant = mistake.plant, catches](const NetworkConfig& sized, std::size_t n) {
        InBoth both{stepwise_network<float>(sized, n)};
        plant(both.in_float, catches);
        return both;
    };
    spoiled.candidate.side = make_step_side(spoiled.candidate.steps);
    return spoiled;
}

Questions questions_of(const Reference& reference, const NetworkConfig& network, const Tensors<float>& state,
                       const Batch& batch, float rate) {
    Side& stepwise = *reference.sides.stepwise;
    stepwise.load(state);
    stepwise.run(batch, rate);
    return {with_given(stepwise.views(), batch, network.context, rate), network.vocabulary, reference.chain.spread.seed,
            reference.chain.bounds.ranges};
}

Catches catches_of(const NetworkConfig& network, std::size_t rows, const Reference& reference,
                   const Tensors<float>& state, const Batch& batch, float rate) {
    const Candidate right = candidate_of("stepwise", network, rows, reference);
    Catches catches;
    Questions questions = questions_of(reference, network, state, batch, rate);
    for (const StepAlone& step : run_alone(right.steps, right.judge, *right.answers, questions, false)) {
        catches[step.makes] = step.probe.catches;
    }
    return catches;
}

}  // namespace byhand
