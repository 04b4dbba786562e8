// The forward pass and the update of the stepwise network against their formulas in plain loops, and properties of
// intermediate values.
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "base/change_network.h"
#include "manual/plain.h"
#include "manual/rounding.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

constexpr double kRate = 0.25;

View view_of(const std::string& name, const Shape& shape, const plain::Values& values) {
    return {name, shape, DType::float64, values.data()};
}

}  // namespace

TEST_CASE("stepwise: logits, loss and new running statistics are those of plain loops, for every convention") {
    unsigned number = 0;
    double worst = 0;
    for (const networks::PlacedNorm& norm : networks::norms()) {
        for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{5}, {3, 1}, {5, 3, 7}}) {
            NetworkConfig config = networks::small(hidden);
            networks::put(config, norm);
            test::set(config, &ShortForm::hidden_bias, number % 4 < 2);
            test::set(config, &ShortForm::output_bias, number % 7 < 4);
            const networks::Example example = networks::make(config, 9, ++number);
            INFO(networks::describe(config, 9));
            const rounding::Values known =
                rounding::values(stepwise_graph(config, 9), example, kRate, rounding::kUnit<double>);
            plain::State state = plain::copy(example.state);
            const plain::Values logits = plain::logits(config, state, example.X, plain::Mode::training);
            const plain::Values loss = {plain::cross_entropy(logits, example.Y)};
            std::vector<View> views = {view_of("logits", {9, 7}, logits), view_of("loss", {}, loss)};
            for (const TensorSpec& spec : running_figures(config)) {
                views.push_back(view_of("new_" + spec.name, spec.shape, state.at(spec.name)));
            }
            worst = std::max(worst,
                             rounding::check(views, known, rounding::longest_sum(config, 9), rounding::kUnit<double>));
        }
    }
    CHECK(worst > 0.01);  // else the limits are too wide
}

TEST_CASE("stepwise: normalised columns have mean 0 and variance 1, and probabilities sum to 1") {
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        NetworkConfig config = networks::small({5});
        config.norm.batch_divisor = divisor;
        config.norm.epsilon = 0;
        const networks::Example example = networks::make(config, 9);
        Runner<double> runner(stepwise_graph(config, 9));
        copy_into(runner.tensors(), example.state);
        runner.set_batch(example.batch());
        runner.forward();
        const auto raw = runner.tensors()["bnraw"];
        const plain::Values columns(raw.begin(), raw.end());
        for (std::size_t j = 0; j < 5; ++j) {
            const plain::Column c = plain::column(columns, j, 5);
            CHECK(std::fabs(c.mean) < 1e-15 * 9);
            CHECK(std::fabs(c.squares / (divisor == Divisor::n ? 9 : 8) - 1) < 1e-15 * 9);
        }
        const auto probs = runner.tensors()["probs"];
        for (std::size_t i = 0; i < 9; ++i) {
            double sum = 0;
            for (std::size_t j = 0; j < 7; ++j) {
                sum += probs[i * 7 + j];
            }
            CHECK(std::fabs(sum - 1) < 1e-15 * 7);
        }
    }
}

TEST_CASE("stepwise: every parameter moves against its gradient by the rate, and by nothing else") {
    const networks::Example example = networks::make(networks::small({5, 3}), 9);
    Runner<float> runner(stepwise_graph(example.config, 9));
    copy_into(runner.tensors(), example.state);
    runner.set_batch(example.batch());
    runner.set_rate(0.3F);
    runner.forward();
    runner.backward();
    runner.update();
    for (const TensorSpec& spec : parameters(example.config)) {
        INFO(spec.name);
        const auto p = runner.tensors()[spec.name], dp = runner.tensors()["d" + spec.name];
        const auto new_p = runner.tensors()["new_" + spec.name];
        for (std::size_t i = 0; i < p.size(); ++i) {
            const float product = 0.3F * dp[i];
            CHECK(new_p[i] == p[i] - product);
        }
    }
}
