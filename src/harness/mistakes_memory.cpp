// Mistakes of order and memory: what runs when, what is kept, what is written where.
#include <limits>
#include <memory>

#include "base/value.h"
#include "harness/planting.h"

namespace byhand::planting {
namespace {

StepList::iterator find_in(StepList& list, const std::string& makes) {
    return std::ranges::find(list, makes, &Step::makes);
}

Step take_out(StepList& list, const std::string& makes) {
    const auto place = find_in(list, makes);
    Step step = std::move(*place);
    list.erase(place);
    return step;
}

void put_before(StepList& list, const std::string& place, Step step) {
    list.insert(find_in(list, place), std::move(step));
}

// What the step made goes into what it read first as well.
void write_through(Step& step) {
    then(step, [elements = count(step.shape)](float* out, Reads r) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): that is the mistake
        std::copy_n(out, elements, const_cast<float*>(numbers(r, 0)));
    });
}

// A buffer that outlives a call.
using Kept = std::shared_ptr<std::vector<float>>;

}  // namespace

std::vector<Mistake> memory_mistakes() {
    return {
        {"in-place-before-use", "dbnraw written over dhpreact, which dγ and dβ have yet to read",
         "Liger-Kernel 272: https://github.com/linkedin/Liger-Kernel/issues/272",
         [](Network& net, const Catches&) -> Names {
             Step* raw = step_by(net, "batchnorm_raw_backward");
             const Step* gain = step_by(net, "batchnorm_gain_backward");
             if (raw == nullptr || gain == nullptr) {
                 return {};
             }
             const std::string makes = raw->makes, before = gain->makes;
             write_through(*raw);
             put_before(net.backward, before, take_out(net.backward, makes));
             return {makes};
         }},
        {"update-too-early", "W moved, in place, before the gradient of its input is taken through it",
         "zero_to_gpt 12: https://github.com/VikParuchuri/zero_to_gpt/issues/12",
         [](Network& net, const Catches&) -> Names {
             // Of the last linear: the backward pass comes to it first.
             const Step* gradient = step_by(net, "linear_weight_backward");
             const Step* input = step_by(net, "linear_input_backward");
             if (gradient == nullptr || input == nullptr) {
                 return {};
             }
             const std::string dW = gradient->makes, dx = input->makes, updated = update_of(without_kind(dW));
             if (find_in(net.update, updated) == net.update.end()) {
                 return {};
             }
             Step update = take_out(net.update, updated);
             write_through(update);
             put_before(net.backward, dx, take_out(net.backward, dW));
             put_before(net.backward, dx, std::move(update));
             return {updated};
         }},
        {"steps-out-of-order", "a gradient taken before what it needs is there",
         "torch/nn 1015: https://github.com/torch/nn/issues/1015",
         [](Network& net, const Catches&) -> Names {
             const Step* exp = step_by(net, "softmax_exp_backward");
             const Step* counts = step_by(net, "softmax_counts_backward");
             if (exp == nullptr || counts == nullptr) {
                 return {};
             }
             const std::string early = exp->makes, late = counts->makes;
             put_before(net.backward, late, take_out(net.backward, early));
             return {early};
         }},
        {"step-dropped", "a parameter that no step updates",
         "nntrainer 219: https://github.com/nntrainer/nntrainer/pull/219",
         [](Network& net, const Catches&) -> Names {
             if (net.update.empty()) {
                 return {};
             }
             const std::string makes = net.update.front().makes;
             net.update.erase(net.update.begin());
             return {makes};
         }},
        at("linear_weight_backward", "stale-previous-step", "dW from the activations of the step before",
           "ipex-llm 2575: https://github.com/intel/ipex-llm/issues/2575",
           [](Network& net, Step& step) {
               const std::size_t elements = net.rows * step.shape[0];
               return instead(step, [right = step.in_float.run, elements,
                                     kept = std::make_shared<std::vector<float>>()](float* out, Reads r) {
                   const std::vector<float> now(numbers(r, 0), numbers(r, 0) + elements);
                   const std::vector<float> before = kept->empty() ? now : *kept;
                   const Operand<float> stale[] = {before.data(), r[1]};
                   right(out, stale);
                   *kept = now;
               });
           }),
        at("linear_weight_backward", "gradient-not-zeroed", "dW added to what the step before left there",
           "llm.c 548: https://github.com/karpathy/llm.c/pull/548",
           [](Network&, Step& step) {
               const Kept kept = std::make_shared<std::vector<float>>(count(step.shape));
               return then(step, [kept](float* out, Reads) {
                   for (std::size_t i = 0; i < kept->size(); ++i) {
                       out[i] += (*kept)[i];
                       (*kept)[i] = out[i];
                   }
               });
           }),
        at("linear_weight_backward", "accumulated-twice", "dW added up twice",
           "miniMNIST-c 7: https://github.com/itskonrad/miniMNIST-c/issues/7",
           [](Network&, Step& step) { return scaled(step, 2); }),
        {"gradients-swapped", "dγ and dβ handed over under each other's name",
         "mxnet 5980: https://github.com/apache/mxnet/pull/5980",
         [](Network& net, const Catches&) -> Names {
             Step* gain = step_by(net, "batchnorm_gain_backward");
             Step* bias = step_by(net, "batchnorm_bias_backward");
             if (gain == nullptr || bias == nullptr) {
                 return {};
             }
             std::swap(gain->makes, bias->makes);
             return {gain->makes, bias->makes};
         }},
        at("linear_bias_backward", "nan-written", "one element of db is a NaN",
           "ngraph 2028: https://github.com/NervanaSystems/ngraph/pull/2028",
           [](Network&, Step& step) {
               return then(step, [H = width(step)](float* out, Reads) {
                   out[H / 2] = std::numeric_limits<float>::quiet_NaN();
               });
           }),
        at("linear_weight_backward", "all-zeros", "dW left at the zeros it began with",
           "Odyssey 3174: https://github.com/HomericIntelligence/Odyssey/issues/3174",
           [](Network&, Step& step) { return scaled(step, 0); }),
        at("linear_input_backward", "never-written", "dx never written",
           "FBGEMM 5754: https://github.com/pytorch/FBGEMM/pull/5754",
           [](Network&, Step& step) { return instead(step, [](float*, Reads) {}); }),
        {"off-by-twice-the-limit", "one element of dW off by twice the smallest error said to be caught",
         "the smallest mistake that a verdict promises to find",
         [](Network& net, const Catches& catches) -> Names {
             Step* step = step_by(net, "linear_weight_backward");
             if (step == nullptr || !catches.contains(step->makes)) {
                 return {};
             }
             then(*step, [twice = 2 * catches.at(step->makes), elements = count(step->shape)](float* out, Reads) {
                 double largest = 0;
                 std::for_each_n(out, elements, [&](float x) { largest = std::max(largest, std::abs(double{x})); });
                 float& element = out[elements * 2 / 3];
                 element += static_cast<float>(twice * largest);
             });
             return {step->makes};
         }},
    };
}

}  // namespace byhand::planting
