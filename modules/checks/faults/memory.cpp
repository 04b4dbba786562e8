// Mistakes of order and memory: what runs when, what is kept, what is written where.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "base/value.h"
#include "checks/faults/planting.h"

namespace byhand::planting {
namespace {

StepList::iterator find_in(StepList& list, const std::string& makes) {
    return std::ranges::find(list, makes, &Step::makes);
}

// The step that updates the first parameter, or nullptr.
Step* first_parameter(Network& network) {
    const auto found = find_in(network.update, update_of(parameters(network.config).front().name));
    return found == network.update.end() ? nullptr : &*found;
}

// Moves the step that makes it before the one that makes `place`. Returns its name.
std::string move_before(StepList& list, const std::string& makes, const std::string& place) {
    std::string name = makes;  // which moves with the step
    const auto from = find_in(list, makes), to = find_in(list, place);
    if (to < from) {
        std::rotate(to, from, from + 1);
    } else {
        std::rotate(from, from + 1, to);
    }
    return name;
}

// A mistake with the steps computed by these two functions. `edit` returns what is then wrong.
Mistake at_both(const std::string& first, const std::string& second, std::string name, std::string what,
                std::string source, std::function<Names(Network&, Step&, Step&)> edit) {
    return {std::move(name), std::move(what), std::move(source),
            [first, second, edit = std::move(edit)](Network& network) -> Names {
                Step *one = step_by(network, first), *other = step_by(network, second);
                return one != nullptr && other != nullptr ? edit(network, *one, *other) : Names{};
            }};
}

// What the step made goes into what it read first as well.
void write_through(Step& step) {
    then(step, [elements = count(step.shape)](float* out, Reads r) {
        // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): that is the mistake
        std::copy_n(out, elements, const_cast<float*>(numbers(r, 0)));
    });
}

}  // namespace

std::vector<Mistake> memory_mistakes() {
    return {
        at_both("batchnorm_raw_backward", "batchnorm_gain_backward", "in-place-before-use",
                "dbnraw written over dhpreact, which dγ and dβ have yet to read",
                "Liger-Kernel 272: https://github.com/linkedin/Liger-Kernel/issues/272",
                [](Network& net, Step& raw, const Step& gain) -> Names {
                    write_through(raw);
                    return {move_before(net.backward, raw.makes, gain.makes)};
                }),
        // Of the last linear: the backward pass reaches it first.
        at_both("linear_weight_backward", "linear_input_backward", "update-too-early",
                "W moved, in place, before the gradient of its input is taken through it",
                "zero_to_gpt 12: https://github.com/VikParuchuri/zero_to_gpt/issues/12",
                [](Network& net, const Step& gradient, const Step& input) -> Names {
                    const std::string dx = input.makes, updated = update_of(without_kind(gradient.makes));
                    const auto update = find_in(net.update, updated);
                    if (update == net.update.end() || update->reads[1] != gradient.makes) {
                        return {};  // or there are steps between
                    }
                    write_through(*update);
                    move_before(net.backward, gradient.makes, dx);
                    net.backward.insert(find_in(net.backward, dx), std::move(*update));
                    net.update.erase(update);
                    return {updated};
                }),
        at_both("softmax_exp_backward", "softmax_counts_backward", "steps-out-of-order",
                "a gradient taken before what it needs is there",
                "torch/nn 1015: https://github.com/torch/nn/issues/1015",
                [](Network& net, const Step& exp, const Step& counts) -> Names {
                    return {move_before(net.backward, exp.makes, counts.makes)};
                }),
        at([](Network& net) { return first_parameter(net); }, "step-dropped", "a parameter that no step updates",
           "nntrainer 219: https://github.com/nntrainer/nntrainer/pull/219",
           [](Network& net, const Step& step) {
               net.update.erase(find_in(net.update, step.makes));
               return true;
           }),
        at("linear_weight_backward", "stale-previous-step", "dW from the activations of the step before",
           "ipex-llm 2575: https://github.com/intel/ipex-llm/issues/2575",
           [](Network& net, Step& step) {
               const std::size_t elements = setting_of(net, step).rows * step.shape[0];
               const auto kept = std::make_shared<std::vector<float>>();
               return instead(step, [right = step.in_float.run, elements, kept](float* out, Reads r) {
                   const std::vector<float> now(numbers(r, 0), numbers(r, 0) + elements);
                   const std::vector<float> before = kept->empty() ? now : *kept;
                   const Operand<float> stale[] = {before.data(), r[1]};
                   right(out, stale);
                   *kept = now;
               });
           }),
        at("linear_weight_backward", "gradient-not-zeroed", "dW added to what the step before left there",
           "llm.c 548: https://github.com/karpathy/llm.c/pull/548",
           [](Network& net, Step& step) {
               const auto kept = std::make_shared<std::vector<float>>(count(step.shape));
               return changes([kept](float made, const Element& x) { return (*kept)[x.i] += made; })(net, step);
           }),
        at("linear_weight_backward", "accumulated-twice", "dW added up twice",
           "miniMNIST-c 7: https://github.com/itskonrad/miniMNIST-c/issues/7", scaled(2)),
        at_both("batchnorm_gain_backward", "batchnorm_bias_backward", "gradients-swapped",
                "dγ and dβ handed over under each other's name",
                "mxnet 5980: https://github.com/apache/mxnet/pull/5980",
                [](const Network&, Step& gain, Step& bias) -> Names {
                    std::swap(gain.makes, bias.makes);
                    return {gain.makes, bias.makes};
                }),
        at("linear_bias_backward", "nan-written", "one element of db is a NaN",
           "ngraph 2028: https://github.com/NervanaSystems/ngraph/pull/2028", changes([](float made, const Element& x) {
               return x.i == x.columns / 2 ? std::numeric_limits<float>::quiet_NaN() : made;
           })),
        at("linear_weight_backward", "all-zeros", "dW left at the zeros it began with",
           "Odyssey 3174: https://github.com/HomericIntelligence/Odyssey/issues/3174", scaled(0)),
        at("linear_input_backward", "never-written", "dx never written",
           "FBGEMM 5754: https://github.com/pytorch/FBGEMM/pull/5754",
           [](Network&, Step& step) { return instead(step, [](float*, Reads) {}); }),
        {"off-by-twice-the-limit", "one element of dW off by twice the smallest error said to be caught",
         "the smallest mistake that a verdict promises to find", [](Network&) { return Names{}; }, nullptr,
         [](Network& net, double caught) -> Names {
             Step* step = step_by(net, "linear_weight_backward");
             if (step == nullptr) {
                 return {};
             }
             then(*step, [twice = 2 * caught, elements = count(step->shape)](float* out, Reads) {
                 double largest = 0;
                 std::for_each_n(out, elements, [&](float x) { largest = std::max(largest, std::abs(double{x})); });
                 out[elements * 2 / 3] += static_cast<float>(twice * largest);
             });
             return {step->makes};
         }},
    };
}

}  // namespace byhand::planting
