// Mistakes in dropout.
#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

double p_of(const Network& network, const Step& step) {
    return operation_of(network, step).p;
}

float kept(const Network& network, const Step& step) {
    return 1 / static_cast<float>(1 - p_of(network, step));
}

// Reads another value behind those that it reads already.
std::size_t also_reads(Step& step, const std::string& name) {
    step.reads.push_back(name);
    return step.reads.size() - 1;
}

// The kept numbers of the mask as `factor` instead. False where that is the same.
bool keeps_by(const Network& network, Step& step, double factor) {
    const auto other = static_cast<float>(factor);
    return other != kept(network, step) &&
           makes_changed(step, [other](float x, std::size_t) { return x == 0 ? x : other; });
}

}  // namespace

std::vector<Mistake> dropout_mistakes() {
    return {
        at("dropout_mask", "dropout-not-scaled", "kept numbers not multiplied by 1/(1 − p)",
           "shainet 106: https://github.com/NeuraLegion/shainet/pull/106",
           [](Network& net, Step& step) { return keeps_by(net, step, 1); }),
        at("dropout_mask", "dropout-scaled-by-p", "kept numbers multiplied by 1/p, the same where p is 0.5",
           "theanets 123: https://github.com/lmjohns3/theanets/pull/123",
           [](Network& net, Step& step) { return keeps_by(net, step, 1 / p_of(net, step)); }),
        at("dropout_mask", "dropout-keep-for-drop", "p taken for the probability that a number is kept",
           "nd4j 1373: https://github.com/deeplearning4j/nd4j/issues/1373",
           [](Network& net, Step& step) {
               const float other = kept(net, step);
               return makes_changed(step, [other](float x, std::size_t) { return x == 0 ? other : 0; });
           }),
        at("dropout_forward", "dropout-scaled-twice", "the factor 1/(1 − p) applied a second time",
           "mlpractical 32: https://github.com/CSTR-Edinburgh/mlpractical/pull/32",
           [](Network& net, Step& step) { return scaled(step, kept(net, step)); }),
        at("dropout_backward", "dropout-gradient-not-masked", "dx = dy/(1 − p): what was dropped has a gradient",
           "numpy-ml 94: https://github.com/ddbourgin/numpy-ml/issues/94",
           [](Network& net, Step& step) {
               return elementwise(
                   step, [factor = kept(net, step)](std::size_t i, Reads r) { return numbers(r, 0)[i] * factor; });
           }),
        at("dropout_backward", "dropout-gradient-as-it-is", "dx = dy: neither mask nor scale on the way back",
           "ai-engineering-from-scratch 17: https://github.com/rohitg00/ai-engineering-from-scratch/pull/17",
           [](Network&, Step& step) { return makes_first_read(step); }),
        at("dropout_backward", "dropout-other-mask", "another mask drawn for the way back",
           "guided-diffusion 167: https://github.com/openai/guided-diffusion/issues/167",
           [](Network&, Step& step) {
               const std::size_t elements = count(step.shape);
               return elements > 1 && elementwise(step, [elements](std::size_t i, Reads r) {
                          return numbers(r, 0)[i] * numbers(r, 1)[(i + 1) % elements];
                      });
           }),
        at("dropout_evaluation", "dropout-in-evaluation", "evaluation drops numbers too",
           "nanoGPT 240: https://github.com/karpathy/nanoGPT/pull/240",
           [](Network& net, Step& step) {
               const std::size_t mask = also_reads(step, operation_of(net, step).layer.value("keepmask"));
               return elementwise(step,
                                  [mask](std::size_t i, Reads r) { return numbers(r, 0)[i] * numbers(r, mask)[i]; });
           }),
        at("dropout_evaluation", "dropout-scaled-in-evaluation",
           "evaluation multiplies by 1 − p, although training has scaled already",
           "near: dynet 186, which scaled twice: https://github.com/clab/dynet/issues/186",
           [](Network& net, Step& step) { return scaled(step, static_cast<float>(1 - p_of(net, step))); }),
        at("dropout_key_update", "dropout-same-mask", "the generator is seeded anew: the same mask in every step",
           "a common slip; no source found", [](Network&, Step& step) { return makes_first_read(step); }),
    };
}

std::vector<Mistake> dropout_data_mistakes() {
    return {
        at("dropout_backward", "dropout-mask-from-values",
           "the mask inferred from the values: an input of 0 is taken for kept",
           "kaldi 3890: https://github.com/kaldi-asr/kaldi/issues/3890",
           [](Network& net, Step& step) {
               const std::size_t x = also_reads(step, operation_of(net, step).input);
               return elementwise(step, [x, factor = kept(net, step)](std::size_t i, Reads r) {
                   const float mask = numbers(r, x)[i] == 0 ? factor : numbers(r, 1)[i];
                   return numbers(r, 0)[i] * mask;
               });
           }),
    };
}

}  // namespace byhand::planting
