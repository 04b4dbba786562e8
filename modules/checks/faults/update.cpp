// Mistakes in the update, the running statistics and evaluation.
#include <algorithm>
#include <cmath>

#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

// The step that updates the parameter whose name begins with these letters and stands last: the output's W, b; γ.
Find last_update(const std::string& begins) {
    return [begins](Network& network) { return last_of(network, "descend", begins); };
}

// The step of evaluation that is computed by one of these.
Find in_evaluation(const std::vector<std::string>& functions) {
    return [functions](Network& network) { return step_by(network.evaluation, functions); };
}

// The weight of the batch's statistics in the running ones.
float m_of(const Setting& setting) {
    return static_cast<float>(setting.operation.norm.momentum);
}

}  // namespace

std::vector<Mistake> update_mistakes() {
    return {
        at(last_update("W"), "update-sign", "the parameter climbs: + for −",
           "PyTorch's own tutorial, pytorch 1871: https://github.com/pytorch/pytorch/issues/1871",
           makes([](const Element& x) { return x(0) + x.only(2) * x(1); })),
        at(last_update("W"), "learning-rate-twice", "the learning rate applied twice",
           "nnlr 3: https://github.com/gpleiss/nnlr/issues/3",
           makes([](const Element& x) { return x(0) - x.only(2) * x.only(2) * x(1); })),
        at(last_update("W"), "value-for-gradient", "the value where its gradient belongs",
           "systemds 2330: https://github.com/apache/systemds/pull/2330",
           [](Network&, Step& step) { return reads_instead(step, 1, step.reads[0]); }),
        at(last_update("b"), "bias-not-updated", "a bias that never moves",
           "tinn 30: https://github.com/glouw/tinn/issues/30", makes_first_read),
        at(last_update("bngain"), "gain-not-updated", "γ that never moves",
           "generative-adversarial-networks 4: "
           "https://github.com/jonbruner/generative-adversarial-networks/issues/4",
           makes_first_read),
        at(last_update("b"), "weight-decay-on-bias", "weight decay where none was asked for",
           "pytorch 1402: https://github.com/pytorch/pytorch/issues/1402",
           makes([](const Element& x) { return x(0) - x.only(2) * (x(1) + 0.01F * x(0)); })),
        at("running_mean_update", "momentum-reversed", "the weight of the new taken for that of the old",
           "d2l-en 2213: https://github.com/d2l-ai/d2l-en/pull/2213",
           when([](const Setting& setting) { return m_of(setting) != 0.5F; },
                makes([](const Element& x) { return m_of(x) * x(0) + (1 - m_of(x)) * x(1); }))),
        at("running_mean_update", "running-mean-of-first-position", "the running mean from the first position alone",
           "the makemore lectures, part 5, 38:50: https://lawwu.github.io/transcripts/transcript_t3YJ5hKiMQ0.html",
           [](Network& net, Step& step) {
               const Operation norm = operation_of(net, step);
               return norm.positions > 1 && reads_instead(step, 1, norm.input) && makes([](const Element& x) {
                          float sum = 0;
                          for (std::size_t row = 0; row < x.rows; row += x.operation.positions) {
                              sum += x.all(1)[row * x.columns + x.i];
                          }
                          return (1 - m_of(x)) * x(0) + m_of(x) * sum / static_cast<float>(x.batch);
                      })(net, step);
           }),
        at("running_spread_update", "running-not-updated", "running statistics that never change",
           "aprender 2166: https://github.com/paiml/aprender/pull/2166", makes_first_read),
        at("running_spread_update", "running-variance-divisor", "the running variance by n for n − 1, or n − 1 for n",
           "tt-metal 55438: https://github.com/tenstorrent/tt-metal/issues/55438",
           on_several_rows([](Network& net, Step& step) {
               const Setting setting = setting_of(net, step);
               const Divisor divisor = setting.operation.norm.running_divisor;
               return running_spread_scaled(to_other_divisor(divisor, setting.rows))(net, step);
           })),
        at(in_evaluation({"batchnorm_evaluate", "batchnorm_evaluate_raw"}), "evaluation-with-batch-statistics",
           "evaluation by the batch's own mean and variance",
           "deep-learning-v2-pytorch 3: https://github.com/udacity/deep-learning-v2-pytorch/issues/3",
           [](Network&, Step& step) {
               // bnmean_running → bnmeani, bnvar_running → bnvar, with the layer's number behind.
               const std::string layer = step.reads[1].substr(std::string("bnmean_running").size());
               return reads_instead(step, 1, "bnmeani" + layer) && reads_instead(step, 2, "bnvar" + layer);
           }),
    };
}

std::vector<Mistake> update_data_mistakes() {
    return {
        at(last_update("W"), "small-step-skipped", "a weight not moved where the step is below 1e-8",
           "near: OLMo 636, gradients of 0 skipped: https://github.com/allenai/OLMo/pull/636",
           changes([](float made, const Element& x) { return std::abs(x.only(2) * x(1)) < 1e-8F ? x(0) : made; })),
        at(last_update("W"), "update-in-fours", "weights past the last whole block of four not moved",
           "Azure-Kinect-Sensor-SDK 1177: https://github.com/microsoft/Azure-Kinect-Sensor-SDK/pull/1177",
           reads_changed(1, [](float d, const Element& at) { return at.i < at.elements / 4 * 4 ? d : 0.0F; })),
        at(last_update("W"), "rate-capped", "a learning rate above 1 taken for 1", "a common slip; no source found",
           reads_changed(2, [](float rate) { return std::min(rate, 1.0F); })),
        at("running_mean_update", "zero-taken-for-unset", "a running mean of 0 replaced by the batch's",
           "near: flax 1360, which asks for it in the first step: https://github.com/google/flax/issues/1360",
           changes([](float made, const Element& x) { return x(0) == 0 ? x(1) : made; })),
        at(in_evaluation({"batchnorm_evaluate", "batchnorm_evaluate_raw"}), "small-running-variance",
           "a running variance below 1e-6 taken for 1", "a common slip; no source found",
           reads_changed(2, [](float x) { return x < 1e-6F ? 1.0F : x; })),
        at(in_evaluation({"linear_forward", "matmul_forward"}), "evaluation-rows-in-pairs",
           "in evaluation rows go in pairs: the last of an odd number is never written",
           "near: udacity's deep-learning-v2-pytorch 60, the last batch of another size: "
           "https://github.com/udacity/deep-learning-v2-pytorch/pull/60",
           when([](const Setting& setting) { return setting.operation.positions % 2 != 0; },
                unwritten_where([](const Element& x) { return x.row() >= x.rows / 2 * 2; }))),
    };
}

}  // namespace byhand::planting
