// Mistakes in dropout.
#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

double p_of(const Setting& setting) {
    return setting.operation.p;
}

float kept(const Setting& setting) {
    return 1 / static_cast<float>(1 - p_of(setting));
}

// Reads another value behind those that it reads already.
std::size_t also_reads(Step& step, const std::string& name) {
    step.reads.push_back(name);
    return step.reads.size() - 1;
}

// The kept numbers of the mask as `factor` instead. Not applied where that is the same.
Edit keeps_by(float (*factor)(const Setting& setting)) {
    return when([=](const Setting& setting) { return factor(setting) != kept(setting); },
                changes([=](float made, const Element& x) { return made == 0 ? made : factor(x); }));
}

}  // namespace

std::vector<Mistake> dropout_mistakes() {
    return {
        at("dropout_mask", "dropout-not-scaled", "kept numbers not multiplied by 1/(1 − p)",
           "shainet 106: https://github.com/NeuraLegion/shainet/pull/106",
           keeps_by([](const Setting&) { return 1.0F; })),
        at("dropout_mask", "dropout-scaled-by-p", "kept numbers multiplied by 1/p, the same where p is 0.5",
           "theanets 123: https://github.com/lmjohns3/theanets/pull/123",
           keeps_by([](const Setting& setting) { return static_cast<float>(1 / p_of(setting)); })),
        at("dropout_mask", "dropout-keep-for-drop", "p taken for the probability that a number is kept",
           "nd4j 1373: https://github.com/deeplearning4j/nd4j/issues/1373",
           changes([](float made, const Element& x) { return made == 0 ? kept(x) : 0; })),
        at("dropout_forward", "dropout-scaled-twice", "the factor 1/(1 − p) applied a second time",
           "mlpractical 32: https://github.com/CSTR-Edinburgh/mlpractical/pull/32", scaled(kept)),
        at("dropout_backward", "dropout-gradient-not-masked", "dx = dy/(1 − p): what was dropped has a gradient",
           "numpy-ml 94: https://github.com/ddbourgin/numpy-ml/issues/94",
           makes([](const Element& x) { return x(0) * kept(x); })),
        at("dropout_backward", "dropout-gradient-as-it-is", "dx = dy: neither mask nor scale on the way back",
           "ai-engineering-from-scratch 17: https://github.com/rohitg00/ai-engineering-from-scratch/pull/17",
           makes_first_read),
        at("dropout_backward", "dropout-other-mask", "another mask drawn for the way back",
           "guided-diffusion 167: https://github.com/openai/guided-diffusion/issues/167",
           when([](const Setting& setting) { return setting.elements > 1; },
                makes([](const Element& x) { return x(0) * x.all(1)[(x.i + 1) % x.elements]; }))),
        at("dropout_evaluation", "dropout-in-evaluation", "evaluation drops numbers too",
           "nanoGPT 240: https://github.com/karpathy/nanoGPT/pull/240",
           [](Network& net, Step& step) {
               const std::size_t mask = also_reads(step, operation_of(net, step).layer.value("keepmask"));
               return makes([mask](const Element& x) { return x(0) * x(mask); })(net, step);
           }),
        at("dropout_evaluation", "dropout-scaled-in-evaluation",
           "evaluation multiplies by 1 − p, although training has scaled already",
           "near: dynet 186, which scaled twice: https://github.com/clab/dynet/issues/186",
           scaled([](const Setting& setting) { return static_cast<float>(1 - p_of(setting)); })),
        at("dropout_key_update", "dropout-same-mask", "the generator is seeded anew: the same mask in every step",
           "a common slip; no source found", makes_first_read),
    };
}

std::vector<Mistake> dropout_data_mistakes() {
    return {
        at("dropout_backward", "dropout-mask-from-values",
           "the mask inferred from the values: an input of 0 is taken for kept",
           "kaldi 3890: https://github.com/kaldi-asr/kaldi/issues/3890",
           [](Network& net, Step& step) {
               const std::size_t input = also_reads(step, operation_of(net, step).input);
               return makes([input](const Element& x) { return x(0) * (x(input) == 0 ? kept(x) : x(1)); })(net, step);
           }),
    };
}

}  // namespace byhand::planting
