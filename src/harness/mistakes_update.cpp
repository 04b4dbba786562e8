// Mistakes in the update, the running statistics and evaluation.
#include "harness/planting.h"

namespace byhand::planting {
namespace {

// The step that updates the parameter whose name begins with `letter` and stands last: the output's W, b; γ.
Step* update_of(Network& network, const std::string& begins) {
    Step* found = nullptr;
    for (Step& step : network.update) {
        if (step.in_float.name == "descend" && step.reads[0].starts_with(begins)) {
            found = &step;
        }
    }
    return found;
}

Mistake at_update(const std::string& begins, std::string name, std::string what, std::string source,
                  std::function<void(Step&)> edit) {
    return {std::move(name), std::move(what), std::move(source),
            [begins, edit = std::move(edit)](Network& network, const Catches&) -> Names {
                Step* step = update_of(network, begins);
                if (step == nullptr) {
                    return {};
                }
                edit(*step);
                return {step->makes};
            }};
}

// new = formula(old, gradient, rate).
void other_update(Step& step, float (*formula)(float old, float gradient, float rate)) {
    instead(step, [formula, elements = count(step.shape)](float* out, Reads r) {
        for (std::size_t i = 0; i < elements; ++i) {
            out[i] = formula(numbers(r, 0)[i], numbers(r, 1)[i], *numbers(r, 2));
        }
    });
}

void not_updated(Step& step) {
    other_update(step, [](float old, float, float) { return old; });
}

}  // namespace

std::vector<Mistake> update_mistakes() {
    return {
        at_update(
            "W", "update-sign", "the parameter climbs: + for −",
            "PyTorch's own tutorial, pytorch 1871: https://github.com/pytorch/pytorch/issues/1871",
            [](Step& step) { other_update(step, [](float old, float d, float rate) { return old + rate * d; }); }),
        at_update("W", "learning-rate-twice", "the learning rate applied twice",
                  "nnlr 3: https://github.com/gpleiss/nnlr/issues/3",
                  [](Step& step) {
                      other_update(step, [](float old, float d, float rate) { return old - rate * rate * d; });
                  }),
        at_update("W", "value-for-gradient", "the value where its gradient belongs",
                  "systemds 2330: https://github.com/apache/systemds/pull/2330",
                  [](Step& step) { step.reads[1] = step.reads[0]; }),
        at_update("b", "bias-not-updated", "a bias that never moves",
                  "tinn 30: https://github.com/glouw/tinn/issues/30", not_updated),
        at_update("bngain", "gain-not-updated", "γ that never moves",
                  "generative-adversarial-networks 4: "
                  "https://github.com/jonbruner/generative-adversarial-networks/issues/4",
                  not_updated),
        at_update("b", "weight-decay-on-bias", "weight decay where none was asked for",
                  "pytorch 1402: https://github.com/pytorch/pytorch/issues/1402",
                  [](Step& step) {
                      other_update(step, [](float old, float d, float rate) { return old - rate * (d + 0.01F * old); });
                  }),
        at("running_mean_update", "momentum-reversed", "the weight of the new taken for that of the old",
           "d2l-en 2213: https://github.com/d2l-ai/d2l-en/pull/2213",
           [](Network& net, Step& step) {
               const auto m = static_cast<float>(net.config.norm.momentum);
               if (m == 0.5F) {
                   return false;
               }
               return instead(step, [m, H = width(step)](float* out, Reads r) {
                   for (std::size_t j = 0; j < H; ++j) {
                       out[j] = m * numbers(r, 0)[j] + (1 - m) * numbers(r, 1)[j];
                   }
               });
           }),
        at("running_spread_update", "running-not-updated", "a running figure that never moves",
           "aprender 2166: https://github.com/paiml/aprender/pull/2166",
           [](Network&, Step& step) {
               return instead(step, [H = width(step)](float* out, Reads r) { std::copy_n(numbers(r, 0), H, out); });
           }),
        at("running_spread_update", "running-variance-divisor", "the running variance by n for n − 1, or n − 1 for n",
           "tt-metal 55438: https://github.com/tenstorrent/tt-metal/issues/55438",
           [](Network& net, Step& step) {
               const Divisor right = net.config.norm.running_divisor;
               if (net.rows < 2) {
                   return false;
               }
               const float ratio = divisor_of(right, net.rows) / divisor_of(other(right), net.rows);
               const bool deviation = net.config.norm.running_spread == RunningSpread::deviation;
               const auto m = static_cast<float>(net.config.norm.momentum);
               return then(step,
                           [m, factor = deviation ? std::sqrt(ratio) : ratio, H = width(step)](float* out, Reads r) {
                               for (std::size_t j = 0; j < H; ++j) {
                                   const float kept = (1 - m) * numbers(r, 0)[j];
                                   out[j] = kept + (out[j] - kept) * factor;
                               }
                           });
           }),
        {"evaluation-with-batch-statistics", "evaluation by the batch's own mean and variance",
         "deep-learning-v2-pytorch 3: https://github.com/udacity/deep-learning-v2-pytorch/issues/3",
         [](Network& net, const Catches&) -> Names {
             for (Step& step : net.evaluation) {
                 if (step.in_float.name.starts_with("batchnorm_evaluate")) {
                     // bnmean_running → bnmeani, bnvar_running → bnvar, with the layer's number behind.
                     const std::string layer = step.reads[1].substr(std::string("bnmean_running").size());
                     step.reads[1] = "bnmeani" + layer;
                     step.reads[2] = "bnvar" + layer;
                     return {step.makes};
                 }
             }
             return {};
         }},
    };
}

}  // namespace byhand::planting
