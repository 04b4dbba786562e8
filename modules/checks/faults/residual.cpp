// Mistakes where a gradient collects from several places: at residual connections and tied weights.
#include <algorithm>

#include "base/value.h"
#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

bool is_by(const Step& step, const std::string& function) {
    return step.in_float.name == function;
}

// The first gradient that is a sum with a term by this function.
Find sum_with(const std::string& function) {
    return [function](Network& network) -> Step* {
        const auto found = std::ranges::find_if(network.backward, [&](const Step& step) {
            return std::ranges::any_of(step.terms, [&](const Step& term) { return is_by(term, function); });
        });
        return found != network.backward.end() ? &*found : nullptr;
    };
}

// The sum of only those terms for which `keeps` holds. False where that is none or all.
template <class Keeps>
bool sums_only(Step& step, Keeps keeps) {
    StepList terms = step.terms;
    std::erase_if(terms, [&](const Step& term) { return !keeps(term); });
    if (terms.empty() || terms.size() == step.terms.size()) {
        return false;
    }
    const Step sum = sum_of(std::move(terms));
    step.reads = sum.reads;
    return instead(step, sum.in_float.run);
}

Step* tied_update(Network& network) {
    const auto found = std::ranges::find(network.update, update_of("C"), &Step::makes);
    return layers(network.config).back().is_tied && found != network.update.end() && is_by(*found, "descend") ? &*found
                                                                                                              : nullptr;
}

// A residual connection whose earlier value may be negative: relu changes nothing of one that can't.
Step* adds_negatives(Network& network) {
    const auto found = std::ranges::find_if(network.forward, [&](const Step& step) {
        const auto range = is_by(step, "residual_forward") ? network.ranges.find(step.reads[1]) : network.ranges.end();
        return is_by(step, "residual_forward") && (range == network.ranges.end() || range->second.low < 0);
    });
    return found != network.forward.end() ? &*found : nullptr;
}

Step* tied_forward(Network& network) {
    return step_by(network.forward, {"tied_linear_forward", "tied_matmul_forward"});
}

}  // namespace

std::vector<Mistake> residual_mistakes() {
    const auto residual_term = [](const Step& term) { return is_by(term, "residual_backward"); };
    const auto embedding_term = [](const Step& term) { return is_by(term, "embedding_backward"); };
    return {
        at(sum_with("residual_backward"), "residual-gradient-dropped",
           "the gradient through the residual connection not added",
           "Fuser 2922: https://github.com/NVIDIA/Fuser/pull/2922",
           [=](Network&, Step& step) { return sums_only(step, std::not_fn(residual_term)); }),
        at(sum_with("residual_backward"), "residual-gradient-overwrites",
           "= for +=: the residual connection's gradient overwrites the one through the layer",
           "darknet 7320: https://github.com/AlexeyAB/darknet/issues/7320",
           [=](Network&, Step& step) { return sums_only(step, residual_term); }),
        at(sum_with("residual_backward"), "residual-gradient-twice",
           "the residual connection's gradient passed on at each visit, so that it counts twice",
           "micrograd 2: https://github.com/karpathy/micrograd/issues/2",
           [=](Network&, Step& step) {
               StepList terms = step.terms;
               terms.push_back(*std::ranges::find_if(terms, residual_term));
               return instead(step, sum_of(std::move(terms)).in_float.run);
           }),
        at("residual_forward", "residual-missing", "the layer's result handed on without the earlier value",
           "UGATIT-pytorch 32: https://github.com/znxlwm/UGATIT-pytorch/issues/32", makes_first_read),
        at("residual_forward", "residual-added-twice", "the earlier value added where it was added already",
           "MAP 3: https://github.com/yunzeliu/MAP/issues/3",
           makes([](float made, float earlier) { return made + 2 * earlier; })),
        at("residual_forward", "residual-adds-itself",
           "the earlier value overwritten by the layer's result, which is added to itself",
           "BitNet 32: https://github.com/kyegomez/BitNet/issues/32", makes([](float made) { return 2 * made; })),
        at(
            [](Network& network) -> Step* {
                const auto adds_a_sum = [&](const Step& step) {
                    const Step* source = is_by(step, "residual_forward") ? find_step(network, step.reads[1]) : nullptr;
                    return source != nullptr && is_by(*source, "residual_forward");
                };
                const auto found = std::ranges::find_if(network.forward, adds_a_sum);
                return found != network.forward.end() ? &*found : nullptr;
            },
            "residual-adds-first-value", "a second residual connection adds what the first one added, not its sum",
            "transformer-tensorflow2.0 14: https://github.com/strutive07/transformer-tensorflow2.0/issues/14",
            [](Network& net, Step& step) { return reads_instead(step, 1, find_step(net, step.reads[1])->reads[1]); }),
        at(sum_with("tied_weight_backward"), "tied-gradient-overwritten",
           "= for +=: the embedding's gradient overwrites the one from the output",
           "TransformerEngine 3437: https://github.com/NVIDIA/TransformerEngine/issues/3437",
           [=](Network&, Step& step) { return sums_only(step, embedding_term); }),
        at(sum_with("tied_weight_backward"), "tied-gradient-of-output",
           "weights shared, gradients not: the embedding's half of dC is lost",
           "torch7-distro 156: https://github.com/torch/DEPRECEATED-torch7-distro/issues/156",
           [=](Network&, Step& step) { return sums_only(step, std::not_fn(embedding_term)); }),
        at(tied_forward, "tied-not-transposed", "C's rows, (V, E), read as if they lay (E, V)",
           "near: SharpMind 14, a head read the wrong way round: https://github.com/Integral2u/SharpMind/pull/14",
           reads_changed(1,
                         [](float, const Element& C) {
                             const std::size_t V = C.config.vocabulary, E = C.config.embedding;
                             return C.all(1)[C.i % E * V + C.i / E];
                         })),
        at(tied_update, "tied-updated-twice",
           "C stands twice in the list of parameters: its gradient is subtracted twice",
           "torch7 716: https://github.com/torch/torch7/issues/716",
           makes([](const Element& x) { return x(0) - 2 * x.only(2) * x(1); })),
    };
}

std::vector<Mistake> residual_data_mistakes() {
    return {
        at(adds_negatives, "residual-in-place", "relu in place changes the earlier value before it is added",
           "vq-vae-2-pytorch 60: https://github.com/rosinality/vq-vae-2-pytorch/issues/60", reads_at_least(1, 0)),
        at(sum_with("tied_weight_backward"), "tied-padding-row",
           "row 0 taken for padding: the output's part of its gradient is lost too",
           "near: TuckER 17: https://github.com/ibalazevic/TuckER/issues/17",
           is_zero_where([](const Element& x) { return x.row() == 0; })),
    };
}

}  // namespace byhand::planting
