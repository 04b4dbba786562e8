// The module trained in parts: the same bytes on any number of ranks, and the whole network's values within rounding.
#include "base/parts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "base/change_network.h"
#include "manual/networks.h"
#include "ranks/tests/thread_ranks.h"
#include "torch_ref/example.h"
#include "torch_ref/module.h"
#include "torch_ref/near.h"
#include "torch_ref/parts.h"
#include "torch_ref/stepwise.h"

using namespace byhand;
using thread_ranks::kRanks;
using thread_ranks::same_bytes;

namespace {

constexpr float kRate = 0.3F;

std::vector<float> trained(Trainable& model, const networks::Example& example) {
    return thread_ranks::trained(model, example.state, example.batch(), kRate, 3);
}

std::vector<float> trained_in_parts(const networks::Example& example, std::size_t parts, Group& group) {
    return trained(*torch_ref::module_model(example.config, example.rows, Keep::needed, {parts, &group}), example);
}

// Networks whose norms are their own module and BatchNorm1d, over rows and over positions; each optimizer; a residual
// that adds the result of a batch norm.
std::vector<NetworkConfig> several() {
    std::vector<NetworkConfig> all = networks::with_every_operation();
    NetworkConfig plain = networks::small({9, 3, 5});
    plain.norm.batch_divisor = Divisor::n;
    plain.optimizer = {.weight_decay = 0.03, .momentum = 0.7};
    all.push_back(plain);
    NetworkConfig wave = networks::small({7, 5, 11}, 13);
    wave.context = 8;
    test::set(wave, &ShortForm::flatten, 2);
    wave.norm.batch_divisor = Divisor::n;
    all.push_back(wave);
    OperationConfig residual = {op::kResidual};
    residual.from = 1;
    all.push_back(with_layers(networks::small({1}), {{op::kLinear, 11},
                                                     {op::kBatchnorm},
                                                     {op::kTanh},
                                                     {op::kLinear, 11},
                                                     {op::kBatchnorm},
                                                     residual,
                                                     {"relu"},
                                                     {op::kLinear}}));
    return all;
}

}  // namespace

TEST_CASE("torch parts: the same bytes on any number of ranks, uneven parts and ranks without a row included") {
    unsigned seed = 20;
    const std::vector<NetworkConfig> all = several();
    for (std::size_t i = 0; i < all.size(); i += i + 4 < all.size() ? 4 : 1) {
        const NetworkConfig& config = all[i];
        const std::size_t rows = i % 2 == 0 ? 33 : 8;
        const networks::Example example = networks::make(config, rows, ++seed);
        Single one;
        const std::vector<float> single = trained_in_parts(example, 8, one);
        for (const std::size_t ranks : kRanks) {
            INFO(networks::describe(config, rows) << ", ranks " << ranks);
            for (const std::vector<float>& of_rank :
                 thread_ranks::of_each_rank(ranks, [&](Group& group) { return trained_in_parts(example, 8, group); })) {
                CHECK(same_bytes(of_rank, single));
            }
        }
    }
}

TEST_CASE("torch parts: one step makes what the whole network makes in double, within rounding") {
    Single one;
    unsigned seed = 70;
    for (const NetworkConfig& config : several()) {
        const networks::Example example = networks::make(config, 13, ++seed);
        const auto right = torch_ref::stepwise(config, 13, DType::float64);
        const std::vector<View> views = example::views_after(*right, example, kRate);
        for (const std::size_t parts : {1U, 2U, 5U, 13U}) {
            INFO(networks::describe(config, 13) << ", parts " << parts);
            const auto model = torch_ref::module_model(config, 13, Keep::needed, {parts, &one});
            model->load(example.state);
            const auto loss = static_cast<double>(model->train_step(example.batch(), kRate));
            near::check("loss", {loss}, near::values(views, "loss"), 2e-6, 0);
            const Tensors<float> state = model->save();
            for (const View& view : state.views()) {
                near::check(view.name, near::values(view), near::values(views, "new_" + view.name), 2e-5, 1e-6);
            }
        }
    }
}

TEST_CASE("torch parts: after a few steps, losses and state are those of training on the whole batch within rounding") {
    Single one;
    unsigned seed = 120;
    for (const NetworkConfig& config : several()) {
        const networks::Example example = networks::make(config, 31, ++seed);
        for (const std::size_t parts : {2U, 7U}) {
            INFO(networks::describe(config, 31) << ", parts " << parts);
            const auto whole = torch_ref::module_model(config, 31);
            const auto in_parts = torch_ref::module_model(config, 31, Keep::needed, {parts, &one});
            whole->load(example.state);
            in_parts->load(example.state);
            for (unsigned step = 0; step < 3; ++step) {
                const auto loss = static_cast<double>(in_parts->train_step(example.batch(), kRate));
                near::check("loss", {loss}, {static_cast<double>(whole->train_step(example.batch(), kRate))}, 1e-5, 0);
            }
            const Tensors<float> state = in_parts->save(), expected = whole->save();
            for (const View& view : state.views()) {
                near::check(view.name, near::values(view), near::values(expected.views(), view.name), 5e-5, 5e-6);
            }
        }
    }
}

TEST_CASE("torch parts: evaluation and a new state are those of the whole network") {
    Single one;
    for (const NetworkConfig& config : several()) {
        INFO(networks::describe(config, 9));
        const networks::Example example = networks::make(config, 9, 5), other = networks::make(config, 9, 6);
        const auto model = torch_ref::module_model(config, 9, Keep::needed, {4, &one});
        const std::vector<float> first = trained(*model, other);
        const auto whole = torch_ref::module_model(config, 9);
        const Tensors<float> state = model->save();
        whole->load(state);
        std::vector<float> logits(9 * config.vocabulary), expected(logits.size());
        model->logits(logits, example.X);
        whole->logits(expected, example.X);
        CHECK(same_bytes(logits, expected));
        trained(*model, example);
        CHECK(same_bytes(trained(*model, other), first));
    }
}

TEST_CASE("torch parts: moments and their gradients are those of the whole column, on every rank") {
    // Two columns of 2 positions and 7 rows in 3 parts. Each part has its own weights of the results in the loss.
    const std::size_t batch = 7, positions = 2, parts = 3;
    const auto n = static_cast<double>(batch * positions);
    const Moments moments = {batch, positions, n - 1};
    at::manual_seed(5);
    const at::Tensor x = at::randn({14, 2}, at::kFloat) * 3 + 5;
    const at::Tensor weights = at::randn({3, 2, 2}, at::kFloat);
    at::Tensor whole = x.to(at::kDouble).requires_grad_();
    const at::Tensor expected = at::stack({whole.mean(0), whole.var(0)});
    (expected * expected * weights.to(at::kDouble).sum(0)).sum().backward();
    for (const std::size_t ranks : kRanks) {
        INFO(ranks << " ranks");
        std::vector<double> apart(ranks);
        thread_ranks::on_each(ranks, [&](thread_ranks::Thread& group) {
            torch_ref::Shares inputs, shares;
            std::vector<std::size_t> rows;
            at::Tensor loss = at::scalar_tensor(0, at::kFloat);
            const PartsOfRank own = parts_of_rank(parts, group.rank(), ranks);
            std::vector<BatchPart> places = {{.first = 0, .rows = 0, .batch = batch}};
            if (own.count() > 0) {
                const std::vector<BatchPart> all = parts_of(batch, parts);
                places.assign(all.begin() + static_cast<std::ptrdiff_t>(own.first),
                              all.begin() + static_cast<std::ptrdiff_t>(own.last));
            }
            for (const BatchPart& place : places) {
                const auto first = static_cast<std::int64_t>(place.first * positions);
                const auto count = static_cast<std::int64_t>(place.rows * positions);
                inputs.push_back(x.narrow(0, first, count).clone().requires_grad_());
                const at::Tensor sum = inputs.back().sum(0);
                const at::Tensor own_mean = sum / static_cast<double>(std::max<std::int64_t>(count, 1));
                shares.push_back(at::stack({sum / n, (inputs.back() - own_mean).square().sum(0) / moments.divisor}));
                rows.push_back(place.rows);
            }
            const std::vector<at::Tensor> results = torch_ref::totals(shares, rows, parts, moments, group);
            for (std::size_t k = 0; k < results.size(); ++k) {
                // A rank without parts has a say as well: its weights are zero.
                const at::Tensor w =
                    own.count() > 0 ? weights[static_cast<std::int64_t>(own.first + k)] : at::zeros({2, 2}, at::kFloat);
                loss = loss + (results[k] * results[k] * w).sum();
            }
            loss.backward();
            double& most = apart[group.rank()];
            for (std::size_t k = 0; k < own.count(); ++k) {
                const at::Tensor right =
                    whole.grad().narrow(0, static_cast<std::int64_t>(places[k].first * positions), inputs[k].size(0));
                most = std::max(
                    {most, (results[k] - expected).abs().max().item<double>() / 40,
                     (inputs[k].grad() - right).abs().max().item<double>() / whole.grad().abs().max().item<double>()});
            }
        });
        CHECK(std::ranges::all_of(apart, [](double off) { return off <= 2e-6; }));
    }
}
