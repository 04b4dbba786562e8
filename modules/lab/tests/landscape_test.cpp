#include "lab/claims/landscape.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <vector>

#include "byhand/view.h"
#include "harness/drawn.h"
#include "lab/figures.h"
#include "manual/models.h"
#include "manual/stepwise.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

// Five rows of two characters, two hidden layers of unequal width; γ and β drawn.
struct Network {
    NetworkConfig config{.vocabulary = 7, .context = 2, .embedding = 3, .hidden = {5, 4}, .norm = {}};
    std::vector<std::int64_t> X = {0, 1, 2, 3, 4, 5, 6, 0, 3, 1}, Y = {1, 6, 2, 0, 4};
    Batch batch() const { return {Y.size(), X.data(), Y.data()}; }
    Tensors<float> initial() const { return drawn_state(config, 3); }
};

std::vector<double> values_of(const std::vector<View>& views, const std::string& name) {
    const View* view = find(views, name);
    REQUIRE(view != nullptr);
    std::vector<double> values(count(view->shape));
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = value_at(*view, i);
    }
    return values;
}

// The values of the collapsed network at a state.
struct Evaluated {
    std::unique_ptr<Implementation> implementation;
    std::vector<View> views;
};
Evaluated evaluate(const Network& network, const Tensors<float>& state, double rate) {
    Evaluated made{make_step_implementation(collapsed_graph(network.config, network.Y.size()), DType::float64), {}};
    made.implementation->load(state);
    made.implementation->run(network.batch(), static_cast<float>(rate));
    made.views = made.implementation->views();
    return made;
}

// Those of the parameters that `names` says, updated.
Tensors<float> updated(const Network& network, const std::vector<View>& views, const std::vector<std::string>& names) {
    Tensors<float> state = network.initial();
    for (const std::string& name : names) {
        const std::vector<double> values = values_of(views, "new_" + name);
        for (std::size_t i = 0; i < values.size(); ++i) {
            state[name][i] = static_cast<float>(values[i]);
        }
    }
    return state;
}

std::vector<double> difference(std::vector<double> a, const std::vector<double>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        a[i] -= b[i];
    }
    return a;
}

std::vector<double> whole_gradient(const Network& network, const std::vector<View>& views) {
    std::vector<double> all;
    for (const TensorSpec& parameter : parameters(network.config)) {
        const std::vector<double> part = values_of(views, "d" + parameter.name);
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

std::vector<LayerShift> shifts_of(const Network& network, double rate) {
    Runner<double> runner(stepwise_graph(network.config, network.Y.size()));
    return layer_shifts(runner, network.initial(), network.batch(), rate);
}

}  // namespace

TEST_CASE("a layer's shift: the gradient with the layers before it updated, and none else") {
    constexpr double kRate = 0.5;
    for (const NormPlace place : {NormPlace::before, NormPlace::after, NormPlace::none}) {
        Network network;
        network.config.norm.place = place;
        const bool norm = place != NormPlace::none;
        CAPTURE(static_cast<int>(place));
        const Evaluated before = evaluate(network, network.initial(), kRate);
        std::vector<std::string> changed;
        const std::vector<LayerShift> shifts = shifts_of(network, kRate);
        REQUIRE(shifts.size() == 3);
        const std::vector<std::vector<std::string>> more = {{"C"}, {"W1", "b1"}, {"W2", "b2"}};
        for (std::size_t l = 0; l < shifts.size(); ++l) {
            changed.insert(changed.end(), more[l].begin(), more[l].end());
            if (norm && l > 0) {
                changed.push_back("bngain." + std::to_string(l));
                changed.push_back("bnbias." + std::to_string(l));
            }
            const Evaluated after = evaluate(network, updated(network, before.views, changed), kRate);
            const std::string W = "dW" + std::to_string(l + 1);
            const std::string x = l == 0 ? "embcat" : "h." + std::to_string(l);
            const std::vector<double> G = values_of(before.views, W), G_after = values_of(after.views, W);
            CAPTURE(l);
            CHECK_THAT(shifts[l].gradient, WithinRel(byhand::lab::norm(G), 1e-6));
            CHECK_THAT(shifts[l].difference, WithinRel(byhand::lab::norm(difference(G, G_after)), 1e-3));
            CHECK_THAT(shifts[l].cosine, WithinAbs(cosine(G, G_after), 1e-6));
            const std::vector<double> read = values_of(before.views, x);
            CHECK_THAT(shifts[l].input, WithinRel(byhand::lab::norm(difference(read, values_of(after.views, x))) /
                                                      byhand::lab::norm(read),
                                                  1e-3));
            CHECK(shifts[l].difference > 0);
        }
    }
}

TEST_CASE("no step, no shift") {
    const Network network;
    for (const LayerShift& shift : shifts_of(network, 0)) {
        CHECK(shift.difference == 0);
        CHECK(shift.input == 0);
        CHECK_THAT(shift.cosine, WithinAbs(1, 1e-12));
    }
}

TEST_CASE("along the gradient: loss and gradient at the places that steps of these lengths lead to") {
    const Network network;
    const std::vector<double> distances = {0.25, 0.75, 0.5};
    Runner<double> runner(stepwise_graph(network.config, network.Y.size()));
    const Smoothness found = along_gradient(runner, network.initial(), network.batch(), distances);
    std::vector<std::string> all;
    for (const TensorSpec& parameter : parameters(network.config)) {
        all.push_back(parameter.name);
    }
    double least = 1e9, largest = 0, change = 0, beta = 0, length = 0;
    for (const double eta : distances) {
        const Evaluated here = evaluate(network, network.initial(), eta);
        const Evaluated there = evaluate(network, updated(network, here.views, all), eta);
        const std::vector<double> gradient = whole_gradient(network, here.views);
        length = byhand::lab::norm(gradient);
        const double loss = values_of(there.views, "loss")[0];
        const double moved = byhand::lab::norm(difference(gradient, whole_gradient(network, there.views)));
        least = std::min(least, loss);
        largest = std::max(largest, loss);
        change = std::max(change, moved);
        beta = std::max(beta, moved / (eta * length));
    }
    CHECK_THAT(found.length, WithinRel(length, 1e-6));
    CHECK_THAT(found.loss, WithinRel(largest - least, 1e-4));
    CHECK_THAT(found.gradient, WithinRel(change, 1e-4));
    CHECK_THAT(found.beta, WithinRel(beta, 1e-4));
}
