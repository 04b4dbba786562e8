#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <vector>

#include "base/change_network.h"
#include "byhand/view.h"
#include "harness/drawn.h"
#include "lab/claims/claims.h"
#include "lab/figures.h"
#include "manual/models.h"
#include "manual/stepwise.h"

using namespace byhand;
using namespace byhand::lab;
using Catch::Matchers::WithinRel;

namespace {

// Five rows of two characters, two hidden layers of unequal width; γ and β drawn.
struct Network {
    NetworkConfig config = test::network(7, 2, 3, {.hidden = {5, 4}});
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
    std::unique_ptr<Model> implementation;
    std::vector<View> views;
};
Evaluated evaluate(const Network& network, const Tensors<float>& state, double rate) {
    Evaluated made{make_step_model(collapsed_graph(network.config, network.Y.size()), Keep::all, DType::float64), {}};
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

double shift_of(const Network& network, double rate) {
    Runner<double> runner(stepwise_graph(network.config, network.Y.size()));
    return covariate_shift(runner, network.initial(), network.batch(), rate);
}

}  // namespace

TEST_CASE("a layer's shift: the gradient with the layers before it updated, and none else") {
    constexpr double kRate = 0.5;
    for (const std::string place : {"before", "after", "none"}) {
        Network network;
        test::set(network.config, &ShortForm::norm_place, place);
        const bool norm = place != "none";
        CAPTURE(place);
        const Evaluated before = evaluate(network, network.initial(), kRate);
        std::vector<std::string> changed;
        const std::vector<std::vector<std::string>> more = {{"C"}, {"W1", "b1"}, {"W2", "b2"}};
        double expected = 0;
        for (std::size_t l = 0; l < more.size(); ++l) {
            changed.insert(changed.end(), more[l].begin(), more[l].end());
            if (norm && l > 0) {
                changed.push_back("bngain." + std::to_string(l));
                changed.push_back("bnbias." + std::to_string(l));
            }
            const Evaluated after = evaluate(network, updated(network, before.views, changed), kRate);
            const std::string W = "dW" + std::to_string(l + 1);
            expected += byhand::lab::norm(difference(values_of(before.views, W), values_of(after.views, W))) / 3;
        }
        CHECK(expected > 0);
        CHECK_THAT(shift_of(network, kRate), WithinRel(expected, 1e-3));
    }
    CHECK(shift_of(Network(), 0) == 0);
}
