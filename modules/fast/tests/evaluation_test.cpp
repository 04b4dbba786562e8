// Evaluation mode, calibration and running statistics against plain loops in double.
#include "manual/evaluation.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <span>

#include "base/change_network.h"
#include "fast/pieces.h"
#include "manual/batchnorm/formulas.h"
#include "manual/plain.h"
#include "manual/rounding.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

std::vector<View> float_logits(const std::vector<float>& logits, std::size_t rows, std::size_t V) {
    return {{"logits", {rows, V}, DType::float32, logits.data()}};
}

// The largest difference as a share of 64 units of float at the largest value: sums of up to 130 squares, taken in
// double, of values whose own float error is a few units.
double distance(std::span<const float> values, const plain::Values& expected) {
    double largest = 0, difference = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        largest = std::max(largest, std::fabs(expected[i]));
        const double d = std::fabs(values[i] - expected[i]);
        difference = d <= difference ? difference : d;
    }
    return difference / (64 * rounding::kUnit<float> * largest);
}

// By the formulas, or with kernels.
ReplaceSteps by_either() {
    return GENERATE(ReplaceSteps(nullptr), ReplaceSteps(with_kernels));
}

}  // namespace

TEST_CASE("evaluation: logits are those of plain loops, for every convention") {
    const ReplaceSteps by = by_either();
    unsigned number = 0;
    for (const networks::PlacedNorm& norm : networks::norms()) {
        for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{5}, {33, 1}, {5, 17, 7}}) {
            NetworkConfig config = networks::small(hidden, 11);
            networks::put(config, norm);
            test::set(config, &ShortForm::hidden_bias, number % 4 < 2);
            test::set(config, &ShortForm::output_bias, number % 7 < 4);
            const networks::Example example = networks::make(config, 9, ++number);
            INFO(networks::describe(config, 9));

            plain::State state = plain::copy(example.state);
            const plain::Values expected = plain::logits(config, state, example.X, plain::Mode::evaluation);
            const std::size_t m = rounding::longest_sum(config, 9);
            const Graph graph = evaluation_graph(config, 9);
            const rounding::Values in_double = rounding::values(graph, example, 0, rounding::kUnit<double>);
            rounding::check({{"logits", {9, 11}, DType::float64, expected.data()}}, in_double, m,
                            rounding::kUnit<double>);

            Evaluation evaluation(config, by);
            evaluation.load(example.state);
            std::vector<float> logits(example.rows * 11);
            evaluation.logits(logits, example.X);
            const rounding::Values in_float = rounding::values(graph, example, 0, rounding::kUnit<float>);
            rounding::check(float_logits(logits, 9, 11), in_float, m, rounding::kUnit<float>);
        }
    }
}

TEST_CASE("evaluation: a row's logits depend neither on the number of rows nor on earlier calls") {
    const NetworkConfig config = networks::small({5, 3});
    const networks::Example example = networks::make(config, 130);
    const ReplaceSteps by = by_either();
    Evaluation one(config, by), many(config, by);
    one.load(example.state);
    many.load(example.state);
    std::vector<float> alone(example.rows * 7);
    for (std::size_t i = 0; i < 130; ++i) {
        one.logits(std::span(alone).subspan(i * 7, 7), std::span(example.X).subspan(i * 3, 3));
    }
    for (const std::size_t rows : {1, 63, 64, 65, 127, 128, 129, 130}) {
        INFO(rows);
        std::vector<float> logits(rows * 7 + 2, -5.0F);
        many.logits(std::span(logits).subspan(1, rows * 7), std::span(example.X).first(rows * 3));
        CHECK(std::equal(logits.begin() + 1, logits.end() - 1, alone.begin()));
        CHECK(logits.front() == -5.0F);
        CHECK(logits.back() == -5.0F);
    }
    std::vector<float> none;
    many.logits(none, {});  // no rows, no logits
}

TEST_CASE("calibrate: sets each layer's mean and variance over all rows, in the form of the running statistics") {
    const ReplaceSteps by = by_either();
    unsigned number = 0;
    for (const networks::PlacedNorm& norm : networks::norms()) {
        if (norm.place == "none") {
            continue;
        }
        for (const std::size_t rows : {2, 63, 64, 65, 130}) {
            NetworkConfig config =
                networks::small(number % 2 == 0 ? std::vector<std::size_t>{5} : std::vector<std::size_t>{7, 3}, 11);
            networks::put(config, norm);
            config.norm.running_divisor = number % 4 < 2 ? Divisor::n : Divisor::n_minus_1;
            config.norm.running_spread = number % 3 == 0 ? RunningSpread::variance : RunningSpread::deviation;
            // Two nearly equal rows are divided by little more than ε, and so is their rounding error.
            if (rows == 2) {
                config.norm.epsilon = std::max(config.norm.epsilon, 0.1);
            }
            networks::Example example = networks::make(config, rows, ++number);
            INFO(networks::describe(config, rows));
            plain::State expected = plain::copy(example.state);
            plain::logits(config, expected, example.X, plain::Mode::calibration);

            Evaluation evaluation(config, by);
            evaluation.load(example.state);
            evaluation.calibrate(example.X);
            evaluation.save_running_figures(example.state);
            for (const TensorSpec& spec : running_figures(config)) {
                INFO(spec.name);
                CHECK(distance(example.state[spec.name], expected.at(spec.name)) <= 1);
            }
        }
    }
}

TEST_CASE("calibrate: changes only running statistics, and nothing in a network without a norm") {
    const ReplaceSteps by = by_either();
    for (const std::string place : {"none", "before"}) {
        NetworkConfig config = networks::small({5});
        test::set(config, &ShortForm::norm_place, place);
        const networks::Example example = networks::make(config, 70);
        Evaluation evaluation(config, by), again(config, by);
        evaluation.load(example.state);
        evaluation.calibrate(example.X);
        Tensors<float> state = example.state;
        evaluation.save_running_figures(state);
        for (const TensorSpec& spec : parameters(config)) {
            CHECK(std::equal(state[spec.name].begin(), state[spec.name].end(), example.state[spec.name].begin()));
        }
        std::vector<float> a(example.rows * 7), b(example.rows * 7);
        evaluation.logits(a, example.X);
        again.load(state);
        again.logits(b, example.X);
        CHECK(a == b);
    }
}

// Five rows whose squares around the mean sum to 32: 6.4 by n, 8 by n − 1 (note 3's first column).
TEST_CASE("running statistics: they move towards the batch's by the momentum, in every form") {
    const double old = 2, m = 0.25, mean = 4;
    double new_mean = 0;
    running_mean_update(&new_mean, &old, &mean, 1, m);
    CHECK(new_mean == 0.75 * 2 + 0.25 * 4);
    for (const Divisor batch : {Divisor::n, Divisor::n_minus_1}) {
        for (const Divisor running : {Divisor::n, Divisor::n_minus_1}) {
            const double bnvar = batch == Divisor::n ? 6.4 : 8;
            const double variance = running == Divisor::n ? 6.4 : 8;
            double spread = 0;
            running_spread_update(&spread, &old, &bnvar, 1, 5, batch, running, RunningSpread::variance, m);
            CHECK(std::fabs(spread - (1.5 + 0.25 * variance)) < 1e-15);
            running_spread_update(&spread, &old, &bnvar, 1, 5, batch, running, RunningSpread::deviation, m);
            CHECK(std::fabs(spread - (1.5 + 0.25 * std::sqrt(variance))) < 1e-15);
        }
    }
    for (const double all_or_nothing : {0.0, 1.0}) {
        running_mean_update(&new_mean, &old, &mean, 1, all_or_nothing);
        CHECK(new_mean == (all_or_nothing == 0 ? old : mean));
    }
}
