#include "lab/invariance/scaled_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "base/value.h"
#include "judge/finding.h"
#include "lab/figures.h"
#include "lab/layer_names.h"
#include "manual/stepwise.h"
#include "steps/runner.h"

namespace byhand::lab {
namespace {

constexpr double kNoFigure = std::numeric_limits<double>::quiet_NaN();

std::vector<double> copy_of(const Tensors<double>& tensors, const std::string& name) {
    const std::span<const double> values = tensors[name];
    return {values.begin(), values.end()};
}

double largest(const std::vector<double>& values) {
    return largest_difference(values, std::vector<double>(values.size(), 0));
}

std::vector<double> times(double factor, std::vector<double> values) {
    for (double& value : values) {
        value *= factor;
    }
    return values;
}

// What one run shows of a layer.
struct Seen {
    std::vector<double> result, gradient, variance, inverse_deviation;
    double loss = 0;
};

Seen run(Runner<double>& runner, const Tensors<float>& state, const Layer& layer, double alpha) {
    Tensors<double>& tensors = runner.tensors();
    copy_into(tensors, state);
    for (const std::string& name : {layer.W(), layer.b()}) {
        if (tensors.contains(name)) {
            std::ranges::for_each(tensors[name], [alpha](double& value) { value *= alpha; });
        }
    }
    runner.forward();
    runner.backward();
    Seen seen{copy_of(tensors, handed_on(layer)), copy_of(tensors, gradient_of(layer.W())), {}, {}, tensors["loss"][0]};
    if (layer.norm == NormPlace::before) {
        seen.variance = copy_of(tensors, layer.value("bnvar"));
        seen.inverse_deviation = copy_of(tensors, layer.value("bnvar_inv"));
    }
    return seen;
}

ScaledLayer scale_layer(Runner<double>& runner, const Tensors<float>& state, const Layer& layer,
                        const std::vector<double>& alphas) {
    const Seen before = run(runner, state, layer, 1);
    ScaledLayer made{layer, handed_on(layer), kNoFigure, {}};
    const std::size_t unit =
        static_cast<std::size_t>(std::ranges::min_element(before.variance) - before.variance.begin());
    if (!before.variance.empty()) {
        made.least_deviation = std::sqrt(before.variance[unit]);
    }
    made.scaled.reserve(alphas.size());
    for (const double alpha : alphas) {
        const Seen after = run(runner, state, layer, alpha);
        const std::vector<double> gradient = times(alpha, after.gradient);
        made.scaled.push_back(
            {.alpha = alpha,
             .result_change = largest_difference(after.result, before.result) / largest(before.result),
             .loss_change = std::abs(after.loss - before.loss) / before.loss,
             .gradient_ratio = norm(gradient) / norm(before.gradient),
             .gradient_change = largest_difference(gradient, before.gradient) / largest(before.gradient),
             .shortfall = before.variance.empty()
                              ? kNoFigure
                              : 1 - std::sqrt(after.variance[unit]) * after.inverse_deviation[unit]});
    }
    return made;
}

}  // namespace

std::vector<ScaledLayer> scale_layers(const NetworkConfig& config, const Tensors<float>& state, const Batch& batch,
                                      const std::vector<double>& alphas) {
    Runner<double> runner(stepwise_graph(config, batch.rows));
    runner.set_batch(batch);
    std::vector<ScaledLayer> all;
    for (const Layer& layer : layers(config)) {
        all.push_back(scale_layer(runner, state, layer, alphas));
    }
    return all;
}

}  // namespace byhand::lab
