// LibTorch's stepwise implementation against plain loops, finite differences, and LibTorch's own whole functions.
#include "torch_ref/stepwise.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/zeros.h>

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>
#include <vector>

#include "base/change_network.h"
#include "base/error.h"
#include "manual/plain.h"
#include "torch_ref/bridge.h"
#include "torch_ref/example.h"
#include "torch_ref/near.h"

using namespace byhand;

namespace {

std::unique_ptr<Model> after_run(const example::Example& example, DType dtype, float rate = 0.25F) {
    std::unique_ptr<Model> implementation = torch_ref::stepwise(example.config, example.rows, dtype);
    example::views_after(*implementation, example, rate);
    return implementation;
}

at::Tensor to_tensor(const std::vector<View>& views, const std::string& name) {
    return torch_ref::copy_of(near::view(views, name));
}

// The loss's central differences with respect to each element of one parameter.
std::vector<double> slopes(const plain::Network& network, const TensorSpec& spec, const example::Example& example) {
    constexpr double kStep = 1e-5;
    std::vector<double> all;
    for (std::size_t i = 0; i < count(spec.shape); ++i) {
        plain::Network up = network;
        plain::Network down = network;
        up.state.at(spec.name)[i] += kStep;
        down.state.at(spec.name)[i] -= kStep;
        all.push_back((up.loss(example.X, example.Y) - down.loss(example.X, example.Y)) / (2 * kStep));
    }
    return all;
}

bool close(const at::Tensor& a, const at::Tensor& b) {
    return a.sizes() == b.sizes() && a.allclose(b, /*rtol=*/1e-12, /*atol=*/1e-14);
}

}  // namespace

TEST_CASE("stepwise: loss, logits and running statistics are those of plain loops, for every convention") {
    for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{1}, {7}, {9, 3, 5}}) {
        for (const NetworkConfig& config : example::all_conventions(hidden)) {
            INFO(networks::describe(config, 0));
            const example::Example example = example::make(config, 11);
            const auto implementation = after_run(example, DType::float64);
            plain::Network network{config, plain::copy(example.state)};
            near::check("logits", near::values(implementation->views(), "logits"),
                        network.logits(example.X, plain::Mode::training), 1e-13, 0);
            for (const TensorSpec& spec : running_figures(config)) {
                near::check(spec.name, near::values(implementation->views(), "new_" + spec.name),
                            network.state.at(spec.name), 1e-13, 0);
            }
            near::check("loss", near::values(implementation->views(), "loss"), {network.loss(example.X, example.Y)},
                        1e-13, 0);
        }
    }
}

TEST_CASE("stepwise: gradients of all parameters equal finite differences of the loss, for every convention") {
    for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{1}, {4}, {2, 3}}) {
        for (const NetworkConfig& config : example::all_conventions(hidden)) {
            INFO(networks::describe(config, 0));
            const example::Example example = example::make(config, 6);
            const auto implementation = after_run(example, DType::float64);
            const plain::Network network{config, plain::copy(example.state)};
            for (const TensorSpec& spec : parameters(config)) {
                const auto gradient = near::values(implementation->views(), "d" + spec.name);
                near::check("d" + spec.name, gradient, slopes(network, spec, example), 1e-6, 1e-8);
            }
        }
    }
}

TEST_CASE("stepwise: a parameter moves by its gradient times the rate") {
    const example::Example example = example::make(example::small_network({7}), 9);
    for (const DType dtype : {DType::float32, DType::float64}) {
        const auto implementation = after_run(example, dtype, 0.3F);
        for (const TensorSpec& spec : parameters(example.config)) {
            const auto old = near::values(implementation->views(), spec.name);
            const auto slope = near::values(implementation->views(), "d" + spec.name);
            const auto moved = near::values(implementation->views(), "new_" + spec.name);
            INFO(spec.name);
            for (std::size_t i = 0; i < old.size(); ++i) {
                // Each operation rounds once, in the implementation's own type.
                const double expected = dtype == DType::float64
                                            ? old[i] - static_cast<double>(0.3F) * slope[i]
                                            : static_cast<float>(old[i]) - 0.3F * static_cast<float>(slope[i]);
                CHECK(moved[i] == expected);
            }
        }
    }
}

TEST_CASE("stepwise: gradients of softmax are those of LibTorch's cross_entropy") {
    const example::Example example = example::make(example::small_network({7}), 9);
    const auto implementation = after_run(example, DType::float64);
    const auto logits = to_tensor(implementation->views(), "logits").requires_grad_();
    const auto loss = at::cross_entropy_loss(logits, torch_ref::targets(example.batch()));
    loss.backward();
    CHECK(close(to_tensor(implementation->views(), "loss"), loss));
    CHECK(close(to_tensor(implementation->views(), "dlogits"), logits.grad()));
    CHECK(close(to_tensor(implementation->views(), "logprobs"), logits.log_softmax(1)));
}

TEST_CASE("stepwise: the norm is LibTorch's batch_norm for the same conventions") {
    for (const std::string place : {"before", "after"}) {
        NetworkConfig config = example::small_network({7});
        test::set(config, &ShortForm::norm_place, place);
        config.norm.batch_divisor = Divisor::n;
        const example::Example example = example::make(config, 9);
        const auto implementation = after_run(example, DType::float64);
        const auto get = [&](const std::string& name) { return to_tensor(implementation->views(), name); };
        const std::string result = place == "before" ? "hpreact" : "h";

        const auto hprebn = get("hprebn").requires_grad_();
        const auto gain = get("bngain").requires_grad_();
        const auto bias = get("bnbias").requires_grad_();
        const auto mean = get("bnmean_running");
        const auto variance = get("bnvar_running");
        const auto normed = at::batch_norm(hprebn, gain, bias, mean, variance, /*training=*/true, config.norm.momentum,
                                           config.norm.epsilon, /*cudnn_enabled=*/false);
        normed.backward(get("d" + result));
        CHECK(close(get(result), normed));
        CHECK(close(get("dhprebn"), hprebn.grad()));
        CHECK(close(get("dbngain"), gain.grad()));
        CHECK(close(get("dbnbias"), bias.grad()));
        CHECK(close(get("new_bnmean_running"), mean));
        CHECK(close(get("new_bnvar_running"), variance));
    }
}

TEST_CASE("LibTorch: max gives the whole gradient to the first of equal elements") {
    for (const auto type : {at::kFloat, at::kDouble}) {
        for (std::int64_t width = 1; width < 70; ++width) {
            for (std::int64_t first = 0; first < width; ++first) {
                auto x = at::zeros({3, width}, type);
                x.slice(1, first) = 2;
                x.requires_grad_();
                std::get<0>(x.max(1)).sum().backward();
                auto expected = at::zeros({3, width}, type);
                expected.select(1, first) = 1;
                CHECK(x.grad().equal(expected));
            }
        }
    }
}

TEST_CASE("stepwise: the first of equal logits receives the maximum's gradient") {
    example::Example example = example::make(example::small_network({7}), 9);
    const std::size_t V = example.config.vocabulary;
    for (std::size_t i = 0; i < 7 * V; ++i) {  // all columns of W2 are equal except the first, and so are all logits
        example.state["W2"][i] = 0.1F * static_cast<float>(i / V + 1);
    }
    for (std::size_t j = 0; j < V; ++j) {
        example.state["b2"][j] = j == 0 ? -1.0F : 0.7F;
    }
    const auto implementation = after_run(example, DType::float32);
    const auto dlogits = near::values(implementation->views(), "dlogits");
    const auto dnorm_logits = near::values(implementation->views(), "dnorm_logits");
    const auto dlogit_maxes = near::values(implementation->views(), "dlogit_maxes");
    std::size_t rows_that_tell = 0;
    for (std::size_t i = 0; i < 9; ++i) {
        rows_that_tell += dlogit_maxes[i] != 0;
        for (std::size_t j = 0; j < V; ++j) {
            const auto d = static_cast<float>(dnorm_logits[i * V + j]);
            CHECK(dlogits[i * V + j] == (j == 1 ? d + static_cast<float>(dlogit_maxes[i]) : d));
        }
    }
    CHECK(rows_that_tell > 0);
}

TEST_CASE("stepwise: a run starts from the state last loaded, and exposes it") {
    const example::Example example = example::make(example::small_network({7}), 9);
    const auto implementation = after_run(example, DType::float32);
    const auto first = near::values(implementation->views(), "new_W1");
    implementation->run(example.batch(), 0.25F);
    CHECK(near::values(implementation->views(), "new_W1") == first);

    const Tensors<float> other = example::random_state(example.config, 99);
    implementation->load(other);
    implementation->run(example.batch(), 0.25F);
    CHECK(near::values(implementation->views(), "new_W1") != first);
    for (const View& view : other.views()) {
        CHECK(near::values(implementation->views(), view.name) == near::values(view));
    }
}

TEST_CASE("stepwise: a batch of one row has a norm if all divisors are n") {
    NetworkConfig config = example::small_network({7});
    CHECK_THROWS_AS(torch_ref::stepwise(config, 1, DType::float32), InputError);
    config.norm.batch_divisor = Divisor::n;
    CHECK_THROWS_AS(torch_ref::stepwise(config, 1, DType::float32), InputError);
    config.norm.running_divisor = Divisor::n;
    const example::Example example = example::make(config, 1);
    const auto implementation = after_run(example, DType::float64);
    plain::Network network{config, plain::copy(example.state)};
    near::check("loss", near::values(implementation->views(), "loss"), {network.loss(example.X, example.Y)}, 1e-13, 0);
    // Nothing of a single row's pre-activation passes its norm.
    near::check("dhprebn", near::values(implementation->views(), "dhprebn"), std::vector<double>(7, 0.0), 0, 1e-12);
    near::check("new_bnmean_running", near::values(implementation->views(), "new_bnmean_running"),
                network.state.at("bnmean_running"), 1e-13, 0);
}

TEST_CASE("stepwise: a batch of another size is refused") {
    const example::Example example = example::make(example::small_network({7}), 9);
    const auto implementation = torch_ref::stepwise(example.config, 8, DType::float32);
    implementation->load(example.state);
    CHECK_THROWS_AS(implementation->run(example.batch(), 0.1F), std::invalid_argument);
}
