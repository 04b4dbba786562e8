// Every gradient of the stepwise network against finite differences of its own loss, in double: a reference that needs
// only the forward pass. forward_test.cpp checks the forward pass itself.
#include <algorithm>
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "base/change_network.h"
#include "manual/stepper.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

struct Slope {
    double value;
    double bound;  // of its error
};

// dL/dx from losses around x.
//   D(h) = (L(x + h) − L(x − h))/2h         has the error  a·h² + b·h⁴ + …
//   E(h) = (4·D(h) − D(2h))/3               has the error    −4·b·h⁴ + …
// so that E(2h) − E(h) is about fifteen times the error of E(h) due to the step size: it is used as its bound. Each
// loss has an error of up to `noise`, which contributes (4/3 + 1/6)·noise/h to E(h). Of three step sizes, large and
// small fractions of `scale`, the one with the smallest bound is used.
template <class Loss>
Slope slope(const Loss& loss, double x, double scale, double noise) {
    const auto D = [&](double step) {
        const double up = x + step, down = x - step;
        return (loss(up) - loss(down)) / (up - down);
    };
    Slope best{0, HUGE_VAL};
    for (const double part : {0x1p-10, 0x1p-13, 0x1p-16}) {
        const double h = part * scale;
        const double D1 = D(h), D2 = D(2 * h), D4 = D(4 * h);
        const double E1 = (4 * D1 - D2) / 3, E2 = (4 * D2 - D4) / 3;
        const double bound = std::fabs(E2 - E1) + 1.5 * noise / h;
        if (bound < best.bound) {
            best = {E1, bound};
        }
    }
    return best;
}

// The change of a value that changes the curvature of the loss: its own magnitude where its inverse, root or logarithm
// is taken, else the typical magnitude in its tensor.
double scale_of(const std::string& name, std::span<const double> values, double x) {
    for (const char* positive : {"counts", "probs", "bnvar"}) {
        if (name.starts_with(positive)) {
            return std::fabs(x);
        }
    }
    double squares = 0;
    for (const double v : values) {
        squares += v * v;
    }
    return std::sqrt(squares / static_cast<double>(values.size()));
}

struct Checked {
    std::size_t tensors = 0;
    double worst = 0;     // error as a share of its bound
    double bluntest = 0;  // the largest bound, in units of the loss for a value that changes by its scale
};

// Changes each element of each tensor that has a gradient, and reruns the forward steps after it.
Checked check_all_gradients(const networks::Example& example) {
    Runner<double> runner(stepwise_graph(example.config, example.rows));
    copy_into(runner.tensors(), example.state);
    runner.set_batch(example.batch());
    runner.forward();
    runner.backward();
    const stepper::Steps<double> forward(runner, example, runner.graph().forward);
    const double& loss = runner.tensors()["loss"][0];
    // Every step rounds, and rounding one value by a unit changes the loss by about a unit of its magnitude.
    const double noise = static_cast<double>(forward.size()) * 0x1p-53 * (1 + loss);

    Checked checked;
    for (const TensorSpec& spec : runner.tensors().table()) {
        if (!runner.tensors().contains("d" + spec.name)) {
            continue;
        }
        INFO("d" << spec.name);
        const std::span<double> values = runner.tensors()[spec.name];
        const std::span<const double> gradient = runner.tensors()["d" + spec.name];
        REQUIRE(gradient.size() == values.size());
        const std::size_t first = forward.first_reader(spec.name);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double x = values[i];
            const double scale = scale_of(spec.name, values, x);
            const auto loss_at = [&](double moved) {
                values[i] = moved;
                forward.run(first);
                return loss;
            };
            const Slope expected = slope(loss_at, x, scale, noise);
            values[i] = x;
            const double share = std::fabs(gradient[i] - expected.value) / expected.bound;
            if (!(share <= 1) && wrong++ == 0) {
                UNSCOPED_INFO("element " << i << " is " << gradient[i] << ", by differences " << expected.value
                                         << " within " << expected.bound);
            }
            checked.worst = std::max(checked.worst, share);
            checked.bluntest = std::max(checked.bluntest, expected.bound * scale);
        }
        CHECK(wrong == 0);
        forward.run(0);
        ++checked.tensors;
    }
    CHECK(checked.tensors == runner.graph().backward.size());  // no gradient is omitted
    return checked;
}

}  // namespace

TEST_CASE("stepwise gradients: equal finite differences of the loss, for every convention of the norm") {
    unsigned number = 0;
    Checked all;
    for (const networks::PlacedNorm& norm : networks::norms()) {
        for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{5}, {3, 7}, {5, 3, 7}}) {
            // Vocabulary and biases alternate, independently of the conventions and of each other.
            NetworkConfig config = networks::small(hidden, number % 5 < 3 ? 7 : 11);
            networks::put(config, norm);
            test::set(config, &ShortForm::hidden_bias, number % 4 < 2);
            test::set(config, &ShortForm::output_bias, number % 7 < 4);
            INFO(networks::describe(config, 5));
            const Checked checked = check_all_gradients(networks::make(config, 5, 200 + number));
            CHECK(checked.bluntest < 1e-8);  // else nearly anything would pass
            all.worst = std::max(all.worst, checked.worst);
            all.bluntest = std::max(all.bluntest, checked.bluntest);
            ++number;
        }
    }
    CAPTURE(all.worst, all.bluntest);
    CHECK(all.worst > 0.001);  // else the bounds are far too wide
}

TEST_CASE("stepwise gradients: equal finite differences of the loss, for every depth and bias without a norm") {
    for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{1}, {5}, {3, 7}, {5, 3, 7}}) {
        for (unsigned bits = 0; bits < 4; ++bits) {
            NetworkConfig config = networks::small(hidden, 11);
            test::set(config, &ShortForm::norm_place, "none");
            test::set(config, &ShortForm::hidden_bias, (bits & 1) != 0);
            test::set(config, &ShortForm::output_bias, (bits & 2) != 0);
            INFO(networks::describe(config, 5));
            CHECK(check_all_gradients(networks::make(config, 5, 100 + bits)).bluntest < 1e-8);
        }
    }
}

TEST_CASE("finite differences: the examples use some characters more than once, and some not at all") {
    const networks::Example example = networks::make(networks::small({5}, 11), 5, 100);
    std::array<int, 11> used{};
    for (const std::int64_t c : example.X) {
        ++used[static_cast<std::size_t>(c)];
    }
    CHECK(*std::ranges::max_element(used) > 1);
    CHECK(*std::ranges::min_element(used) == 0);
}
