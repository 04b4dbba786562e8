#include <algorithm>

#include "base/value.h"
#include "lab/claims/claims.h"
#include "lab/figures.h"

namespace byhand::lab {
namespace {

std::vector<double> copy_of(const Runner<double>& runner, const std::string& name) {
    const std::span<const double> values = runner.tensors()[name];
    return {values.begin(), values.end()};
}

// The parameters before layer l's linear and after that of the layer before it: the embedding for the first, else all
// that the layer before it has.
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

// new_X in the place of X.
void step(Runner<double>& runner, const std::string& parameter) {
    std::ranges::copy(runner.tensors()[update_of(parameter)], runner.tensors()[parameter].begin());
}

}  // namespace

double covariate_shift(Runner<double>& runner, const Tensors<float>& state, const Batch& batch, double rate) {
    run(runner, state, batch, rate);
    const std::vector<Layer> all = layers(runner.graph().config);
    std::vector<std::vector<double>> G;
    G.reserve(all.size());
    for (const Layer& layer : all) {
        G.push_back(copy_of(runner, gradient_of(layer.W())));
    }
    double sum = 0;
    for (std::size_t l = 0; l < all.size(); ++l) {
        for (const std::string& name : learned_just_before(all, l, runner.tensors())) {
            step(runner, name);  // those before it have taken theirs already
        }
        runner.forward();
        runner.backward();
        sum += norm(difference(G[l], copy_of(runner, gradient_of(all[l].W()))));
    }
    return sum / static_cast<double>(all.size());
}

double variation_along_gradient(Runner<double>& runner, const Tensors<float>& state, const Batch& batch,
                                const std::vector<double>& distances) {
    std::vector<double> losses;
    for (const double eta : distances) {
        run(runner, state, batch, eta);
        for (const TensorSpec& parameter : parameters(runner.graph().config)) {
            step(runner, parameter.name);
        }
        runner.forward();
        losses.push_back(runner.tensors()["loss"][0]);
    }
    const auto [least, largest] = std::ranges::minmax(losses);
    return largest - least;
}

}  // namespace byhand::lab
