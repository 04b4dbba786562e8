#include "lab/claims/landscape.h"

#include <algorithm>
#include <cmath>

#include "base/value.h"
#include "lab/figures.h"

namespace byhand::lab {
namespace {

std::vector<double> copy_of(const Runner<double>& runner, const std::string& name) {
    const std::span<const double> values = runner.tensors()[name];
    return {values.begin(), values.end()};
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
    std::vector<double> difference(a.size());
    std::ranges::transform(a, b, difference.begin(), std::minus{});
    return norm(difference);
}

// What is learned before layer l's linear and after that of the layer before it: there the embedding, else all that the
// layer before it has.
std::vector<std::string> learned_just_before(const std::vector<Layer>& all, std::size_t l,
                                             const Tensors<double>& tensors) {
    if (l == 0) {
        return {"C"};
    }
    const Layer& before = all[l - 1];
    std::vector<std::string> names = {before.W(), before.b(), before.value("bngain"), before.value("bnbias")};
    std::erase_if(names, [&](const std::string& name) { return !tensors.contains(name); });
    return names;
}

// A forward and a backward pass at this state, and the update.
void run(Runner<double>& runner, const Tensors<float>& state, const Batch& batch, double rate) {
    copy_into(runner.tensors(), state);
    runner.set_batch(batch);
    runner.set_rate(rate);
    runner.forward();
    runner.backward();
    runner.update();
}

// Of all parameters.
std::vector<double> gradient(const Runner<double>& runner) {
    std::vector<double> all;
    for (const TensorSpec& parameter : parameters(runner.graph().config)) {
        const std::span<const double> part = runner.tensors()[gradient_of(parameter.name)];
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

// new_X in the place of X.
void step(Runner<double>& runner, const std::string& parameter) {
    std::ranges::copy(runner.tensors()[update_of(parameter)], runner.tensors()[parameter].begin());
}

}  // namespace

std::vector<LayerShift> layer_shifts(Runner<double>& runner, const Tensors<float>& state, const Batch& batch,
                                     double rate) {
    run(runner, state, batch, rate);
    const std::vector<Layer> all = layers(runner.graph().config);
    const auto read_by = [&](std::size_t l) { return l == 0 ? std::string("embcat") : all[l - 1].value("h"); };
    std::vector<std::vector<double>> G(all.size()), x(all.size());
    for (std::size_t l = 0; l < all.size(); ++l) {
        G[l] = copy_of(runner, gradient_of(all[l].W()));
        x[l] = copy_of(runner, read_by(l));
    }
    std::vector<LayerShift> shifts(all.size());
    for (std::size_t l = 0; l < all.size(); ++l) {
        for (const std::string& name : learned_just_before(all, l, runner.tensors())) {
            step(runner, name);  // and those before it have taken theirs already
        }
        runner.forward();
        runner.backward();
        const std::vector<double> updated = copy_of(runner, gradient_of(all[l].W()));
        shifts[l] = {norm(G[l]), distance(G[l], updated), cosine(G[l], updated),
                     distance(x[l], copy_of(runner, read_by(l))) / norm(x[l])};
    }
    return shifts;
}

Smoothness along_gradient(Runner<double>& runner, const Tensors<float>& state, const Batch& batch,
                          const std::vector<double>& distances) {
    run(runner, state, batch, 0);
    const std::vector<double> here = gradient(runner);
    Smoothness smoothness;
    smoothness.length = norm(here);
    std::vector<double> losses;
    for (const double eta : distances) {
        run(runner, state, batch, eta);
        for (const TensorSpec& parameter : parameters(runner.graph().config)) {
            step(runner, parameter.name);
        }
        runner.forward();
        runner.backward();
        losses.push_back(runner.tensors()["loss"][0]);
        const double change = distance(here, gradient(runner));
        smoothness.gradient = std::max(smoothness.gradient, change);
        smoothness.beta = std::max(smoothness.beta, change / (eta * smoothness.length));
    }
    const auto [least, largest] = std::ranges::minmax(losses);
    smoothness.loss = largest - least;
    return smoothness;
}

}  // namespace byhand::lab
