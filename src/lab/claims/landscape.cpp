#include "lab/claims/landscape.h"

#include <algorithm>
#include <cmath>

#include "base/value.h"
#include "lab/figures.h"
#include "manual/stepwise.h"

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

}  // namespace

Landscape::Landscape(const NetworkConfig& config, std::size_t rows)
    : config_(config), runner_(stepwise_graph(config, rows)) {}

void Landscape::begin(const Tensors<float>& state, const Batch& batch) {
    copy_into(runner_.tensors(), state);
    runner_.set_batch(batch);
}

std::vector<double> Landscape::gradient() const {
    std::vector<double> all;
    all.reserve(parameter_count(config_));
    for (const TensorSpec& parameter : parameters(config_)) {
        const std::span<const double> part = runner_.tensors()[gradient_of(parameter.name)];
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

void Landscape::step(const std::string& parameter) {
    std::ranges::copy(runner_.tensors()[update_of(parameter)], runner_.tensors()[parameter].begin());
}

std::vector<LayerShift> Landscape::shifts(const Tensors<float>& state, const Batch& batch, double rate) {
    begin(state, batch);
    runner_.set_rate(rate);
    runner_.forward();
    runner_.backward();
    runner_.update();
    const std::vector<Layer> all = layers(config_);
    const auto read_by = [&](std::size_t l) { return l == 0 ? std::string("embcat") : all[l - 1].value("h"); };
    std::vector<std::vector<double>> G(all.size()), x(all.size());
    for (std::size_t l = 0; l < all.size(); ++l) {
        G[l] = copy_of(runner_, gradient_of(all[l].W()));
        x[l] = copy_of(runner_, read_by(l));
    }
    std::vector<LayerShift> shifts(all.size());
    for (std::size_t l = 0; l < all.size(); ++l) {
        for (const std::string& name : learned_just_before(all, l, runner_.tensors())) {
            step(name);  // and those before it have taken theirs already
        }
        runner_.forward();
        runner_.backward();
        const std::vector<double> updated = copy_of(runner_, gradient_of(all[l].W()));
        shifts[l] = {norm(G[l]), distance(G[l], updated), cosine(G[l], updated),
                     distance(x[l], copy_of(runner_, read_by(l))) / norm(x[l])};
    }
    return shifts;
}

Smoothness Landscape::along_gradient(const Tensors<float>& state, const Batch& batch,
                                     const std::vector<double>& distances) {
    begin(state, batch);
    runner_.forward();
    runner_.backward();
    const std::vector<double> here = gradient();
    Smoothness smoothness;
    smoothness.length = norm(here);
    std::vector<double> losses;
    losses.reserve(distances.size());
    for (const double eta : distances) {
        begin(state, batch);
        runner_.set_rate(eta);
        runner_.forward();
        runner_.backward();
        runner_.update();
        for (const TensorSpec& parameter : parameters(config_)) {
            step(parameter.name);
        }
        runner_.forward();
        runner_.backward();
        losses.push_back(runner_.tensors()["loss"][0]);
        const double change = distance(here, gradient());
        smoothness.gradient = std::max(smoothness.gradient, change);
        smoothness.beta = std::max(smoothness.beta, change / (eta * smoothness.length));
    }
    const auto [least, largest] = std::ranges::minmax(losses);
    smoothness.loss = largest - least;
    return smoothness;
}

}  // namespace byhand::lab
