// The torch::nn module, as an implementation and as a model, against the stepwise implementation in double and plain
// loops.
#include "torch_ref/module.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <stdexcept>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "base/network.h"
#include "base/same_bytes.h"
#include "manual/plain.h"
#include "torch_ref/example.h"
#include "torch_ref/near.h"
#include "torch_ref/stepwise.h"

using namespace byhand;

namespace {

// {6, 5} has square weights, whose shape does not reveal their layout.
const std::vector<std::vector<std::size_t>> kDepths = {{1}, {7}, {6, 5}, {9, 3, 5}, {3, 7, 5, 9, 13, 11, 5}};

std::vector<double> to_double(const std::vector<float>& values) {
    return {values.begin(), values.end()};
}

std::vector<float> logits_of(Trainable& model, const NetworkConfig& config, const std::vector<std::int64_t>& X) {
    std::vector<float> out(X.size() / config.context * config.vocabulary, -99.0F);
    model.logits(out, X);
    return out;
}

}  // namespace

TEST_CASE("module: agrees with the stepwise implementation in double, for every convention and depth") {
    for (const std::vector<std::size_t>& hidden : kDepths) {
        for (const NetworkConfig& config : example::all_conventions(hidden)) {
            INFO(networks::describe(config, 0));
            const example::Example example = example::make(config, 13);
            const auto module = torch_ref::module_model(config, example.rows, Keep::all);
            const auto stepwise = torch_ref::stepwise(config, example.rows, DType::float64);
            const std::vector<View> exact = example::views_after(*stepwise, example, 0.5F);
            for (const View& view : example::views_after(*module, example, 0.5F)) {
                const View& same = near::view(exact, view.name);
                CHECK(view.shape == same.shape);
                near::check(view.name, near::values(view), near::values(same), 2e-5, 5e-6);
            }
        }
    }
}

TEST_CASE("module: BatchNorm1d is used for exactly its own conventions") {
    NormConfig norm;
    norm.batch_divisor = Divisor::n;
    CHECK(is_batch_norm_1d(norm));
    norm.affine = false;
    norm.momentum = 0.001;
    CHECK(is_batch_norm_1d(norm));
    NormConfig other = norm;
    other.batch_divisor = Divisor::n_minus_1;
    CHECK_FALSE(is_batch_norm_1d(other));
    other = norm;
    other.running_divisor = Divisor::n;  // the only one that a single row could have: BatchNorm1d refuses it
    CHECK_FALSE(is_batch_norm_1d(other));
    other = norm;
    other.running_spread = RunningSpread::deviation;
    CHECK_FALSE(is_batch_norm_1d(other));
    other = norm;
    other.epsilon_place = EpsilonPlace::outside;
    CHECK_FALSE(is_batch_norm_1d(other));
}

TEST_CASE("module: as an implementation, each run starts from the state last loaded") {
    const example::Example example = example::make(example::small_network({7}), 9);
    const auto implementation = torch_ref::module_model(example.config, 9, Keep::all);
    const auto first = near::values(example::views_after(*implementation, example), "new_W1");
    implementation->run(example.batch(), 0.25F);
    CHECK(near::values(implementation->views(), "new_W1") == first);
    const auto other = torch_ref::module_model(example.config, 8, Keep::all);
    other->load(example.state);
    CHECK_THROWS_AS(other->run(example.batch(), 0.1F), std::invalid_argument);
}

TEST_CASE("module: the model's step is the implementation's, to the bit") {
    for (const NetworkConfig& config : example::all_conventions({9, 3, 5})) {
        INFO(networks::describe(config, 0));
        example::Example example = example::make(config, 13);
        const auto implementation = torch_ref::module_model(config, example.rows, Keep::all);
        const auto model = torch_ref::module_model(config, example.rows);
        model->load(example.state);
        implementation->load(example.state);
        for (unsigned step = 0; step < 3; ++step) {
            example.X = example::characters(example.X.size(), config.vocabulary, 20 + step);
            const float rate = 0.5F / static_cast<float>(step + 1);
            implementation->run(example.batch(), rate);
            CHECK(static_cast<double>(model->train_step(example.batch(), rate)) ==
                  near::values(implementation->views(), "loss")[0]);
            // Evaluation in between has no effect.
            logits_of(*model, config, example.X);
            const Tensors<float> state = model->save();
            for (const View& view : state.views()) {
                INFO(view.name);
                CHECK(near::values(view) == near::values(implementation->views(), "new_" + view.name));
            }
            implementation->load(state);
        }
    }
}

TEST_CASE("module: state() returns the loaded state, to the bit") {
    NetworkConfig config = example::small_network({7, 3});
    test::set(config, &ShortForm::output_norm, true);
    Tensors<float> state = example::random_state(config, 3);
    state["W2"][4] = -0.0F;
    state["W2"][5] = std::numeric_limits<float>::denorm_min();
    state["b1"][1] = -std::numeric_limits<float>::infinity();
    state["bngain.2"][0] = std::numeric_limits<float>::max();
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {  // BatchNorm1d, and the custom Norm
        config.norm.batch_divisor = divisor;
        const auto model = torch_ref::module_model(config, 9);
        model->load(state);
        CHECK(test::first_different(model->save(), state) == "");
    }
}

TEST_CASE("module: logits in evaluation are those of plain loops with the running statistics") {
    for (const std::vector<std::size_t>& hidden : kDepths) {
        for (const NetworkConfig& config : example::all_conventions(hidden)) {
            INFO(networks::describe(config, 0));
            const example::Example example = example::make(config, 13);
            const auto model = torch_ref::module_model(config, 13);
            model->load(example.state);
            for (const std::size_t rows : {1U, 6U}) {
                const auto X = example::characters(rows * config.context, config.vocabulary, 5);
                plain::Network network{config, plain::copy(example.state)};
                near::check("logits", to_double(logits_of(*model, config, X)),
                            network.logits(X, plain::Mode::evaluation), 1e-5, 0);
            }
        }
    }
}

TEST_CASE("module: logits of very many rows are those of the same rows in small chunks") {
    const NetworkConfig config = example::small_network({7});
    const auto model = torch_ref::module_model(config, 9);
    model->load(example::random_state(config, 8));
    const std::size_t rows = 2 * 4096 + 37;
    const auto X = example::characters(rows * config.context, config.vocabulary, 4);
    const std::vector<float> whole = logits_of(*model, config, X);
    std::vector<float> pieces;
    for (std::size_t at = 0; at < rows; at += 1001) {
        const std::size_t to = std::min(rows, at + 1001);
        const std::vector<std::int64_t> piece(X.begin() + static_cast<std::ptrdiff_t>(at * config.context),
                                              X.begin() + static_cast<std::ptrdiff_t>(to * config.context));
        const auto out = logits_of(*model, config, piece);
        pieces.insert(pieces.end(), out.begin(), out.end());
    }
    near::check("logits", to_double(whole), to_double(pieces), 1e-6, 0);
}

TEST_CASE("module: calibrate sets the statistics of the whole set, layer after layer") {
    for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{7}, {9, 3, 5}}) {
        for (const NetworkConfig& config : example::all_conventions(hidden)) {
            INFO(networks::describe(config, 0));
            // More rows than a chunk only occasionally, because the loops are slow.
            const std::size_t rows = config.norm.affine && is_norm(config.layers.back().op) ? 4096 + 907 : 47;
            const auto X = example::characters(rows * config.context, config.vocabulary, 6);
            const Tensors<float> state = example::random_state(config, 12);
            const auto model = torch_ref::module_model(config, 13);
            model->load(state);
            model->calibrate(X);
            plain::Network network{config, plain::copy(state)};
            const auto logits = network.logits(X, plain::Mode::calibration);
            const Tensors<float> saved = model->save();
            for (const View& view : saved.views()) {
                near::check(view.name, near::values(view), network.state.at(view.name), 1e-5, 1e-6);
            }
            near::check("logits", to_double(logits_of(*model, config, X)), logits, 1e-4, 0);
        }
    }
}

TEST_CASE("module: calibrate is refused if the divisor is 0") {
    NetworkConfig config = example::small_network({7});
    const auto model = torch_ref::module_model(config, 9);
    model->load(example::random_state(config, 8));
    CHECK_THROWS_AS(model->calibrate({}), InputError);
    const std::vector<std::int64_t> one_row = {1, 2, 3};
    CHECK_THROWS_AS(model->calibrate(one_row), InputError);
    config.norm.running_divisor = Divisor::n;
    const auto other = torch_ref::module_model(config, 9);
    other->load(example::random_state(config, 8));
    CHECK_NOTHROW(other->calibrate(one_row));
    CHECK_THROWS_AS(other->calibrate({}), InputError);
}

TEST_CASE("module: a batch of one row is accepted if all divisors are n, and otherwise refused") {
    for (const bool output : {false, true}) {
        NetworkConfig config = example::small_network({7});
        test::set(config, &ShortForm::output_norm, output);
        CHECK_THROWS_AS(torch_ref::module_model(config, 1, Keep::all), InputError);
        config.norm.batch_divisor = Divisor::n;
        CHECK_THROWS_AS(torch_ref::module_model(config, 1), InputError);
        config.norm.running_divisor = Divisor::n;
        const example::Example example = example::make(config, 1);
        const auto model = torch_ref::module_model(config, 1);
        model->load(example.state);
        plain::Network network{config, plain::copy(example.state)};
        const float loss = model->train_step(example.batch(), 0.1F);
        near::check("loss", {static_cast<double>(loss)}, {network.loss(example.X, example.Y)}, 1e-6, 0);
        const Tensors<float> saved = model->save();
        for (const TensorSpec& spec : running_figures(config)) {
            near::check(spec.name, near::values(saved.views(), spec.name), network.state.at(spec.name), 1e-6, 0);
        }
    }
}
