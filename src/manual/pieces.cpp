#include "manual/pieces.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "manual/simd/targets.h"
#include "manual/softmax_cross_entropy.h"
#include "manual/step_kernels.h"
#include "manual/stepwise.h"
#include "steps/rounded.h"

namespace byhand {
namespace {

constexpr std::string_view kKernels = "simd::";

// Of all tensors that the steps read or make.
std::map<std::string, Shape> shapes_of(const StepNetwork<float>& network) {
    std::map<std::string, Shape> shapes;
    for (const TensorSpec& spec : state(network.config)) {
        shapes[spec.name] = spec.shape;
    }
    for (const Step<float>* step : all_steps(network)) {
        shapes[step->makes] = step->shape;
    }
    return shapes;
}

// With of(its kernels, step) in the place of each step: one or several.
template <class Of>
StepNetwork<float> replaced(StepNetwork<float> network, Of of) {
    const std::map<std::string, Shape> shapes = shapes_of(network);
    for (StepList<float>* list : {&network.forward, &network.backward, &network.update}) {
        const std::vector<Step<float>> once = std::move(list->steps());
        list->steps().clear();
        for (const Step<float>& step : once) {
            std::ranges::move(of(kernels_of({step, network.config, shapes}), step), std::back_inserter(list->steps()));
        }
    }
    return network;
}

Step<float> by(const Kernel& kernel, Step<float> step) {
    step.function = kernel.name;
    step.run = kernel.run;
    return step;
}

std::vector<Step<float>> by_first(const std::vector<Kernel>& kernels, const Step<float>& step) {
    return {kernels.empty() ? step : by(kernels.front(), step)};
}

std::vector<Step<float>> by_all(const std::vector<Kernel>& kernels, const Step<float>& step) {
    std::vector<Step<float>> all;
    for (const Kernel& kernel : kernels) {
        if (!kernel.name.starts_with(kKernels)) {
            all.push_back(by(kernel, step));
            continue;
        }
        for (const simd::Target& target : simd::targets()) {
            all.push_back(by({kernel.name + " (" + target.name + ")",
                              [run = kernel.run, target](float* out, Reads reads) {
                                  const simd::OnTarget while_it_runs(target);
                                  run(out, reads);
                              }},
                             step));
        }
    }
    return all.empty() ? std::vector{step} : all;
}

// The formulas of all pieces.
template <class T>
StepNetwork<T> formulas(const NetworkConfig& config, std::size_t rows) {
    StepNetwork<T> network = fused_network<T>(config, rows);
    network.forward.add("counts", {rows, config.vocabulary}, {"norm_logits"}, "softmax_exp", softmax_exp<T>,
                        rows * config.vocabulary);
    return network;
}

}  // namespace

StepNetwork<float> with_kernels(StepNetwork<float> network) {
    return replaced(std::move(network), by_first);
}

template <class T>
StepNetwork<T> fused_pieces(const NetworkConfig& config, std::size_t rows) {
    if constexpr (std::is_same_v<T, float>) {
        return with_kernels(formulas<T>(config, rows));
    } else {
        return formulas<T>(config, rows);
    }
}

StepNetwork<float> fused_pieces_on_all_targets(const NetworkConfig& config, std::size_t rows) {
    return replaced(formulas<float>(config, rows), by_all);
}

template StepNetwork<float> fused_pieces(const NetworkConfig&, std::size_t);
template StepNetwork<double> fused_pieces(const NetworkConfig&, std::size_t);
template StepNetwork<Rounded> fused_pieces(const NetworkConfig&, std::size_t);

}  // namespace byhand
