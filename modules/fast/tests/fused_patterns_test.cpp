// For any operations in a layer, the fused step computes the same as its pieces run in sequence, to the bit, with any
// number of threads, and the same as the stepwise network in double.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/same_bytes.h"
#include "fast/fused.h"
#include "fast/fused_tensors.h"
#include "fast/models.h"
#include "fast/pieces.h"
#include "fast/tests/layers.h"
#include "fast/tests/targets.h"
#include "manual/models.h"
#include "manual/networks.h"
#include "manual/operation.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

constexpr float kRate = 0.37F;

struct Network {
    std::string name;
    NetworkConfig config;
};

NetworkConfig with_context(std::size_t context, std::size_t embedding, std::vector<OperationConfig> layers,
                           std::size_t vocabulary = 29) {
    NetworkConfig config = networks::small({1}, vocabulary);
    config.context = context;
    config.embedding = embedding;
    config.norm.momentum = 0.3;
    return with_layers(config, std::move(layers));
}

NetworkConfig with_context(std::size_t context, std::size_t embedding, const std::string& layers,
                           std::size_t vocabulary = 29) {
    return with_context(context, embedding, test::layers(layers), vocabulary);
}

// Positions joined by twos, threes and one, some layers without a norm or a bias, partial panels, more terms than a
// product accumulates at once.
std::vector<Network> by_parts() {
    return {{"pairs, then threes",
             with_context(12, 5,
                          "flatten 2, linear 37 -b, batchnorm, tanh, flatten 3, linear 101, tanh, flatten 2, linear 5, "
                          "tanh, batchnorm, linear")},
            {"ones, then all", with_context(7, 3, "flatten 1, linear 53, tanh, flatten 7, linear")},
            {"linears at positions",
             with_context(6, 50, "flatten 3, linear 19, batchnorm, linear 33, tanh, flatten 2, linear, batchnorm")}};
}

// Every activation with every norm: before it, with γ and β or without, or after it, the second layer without either or
// with only a norm; widths alternate, and every other network joins positions by parts.
std::vector<Network> activations_and_norms() {
    std::vector<Network> all;
    std::vector<std::string> with_kernels = activations();
    std::erase_if(with_kernels, [](const std::string& name) { return !simd::activation_of(name); });
    for (const std::string& activation : with_kernels) {
        for (const std::string norm : op::kNorms) {
            for (const bool is_before : {true, false}) {
                const bool by_parts = all.size() % 2 == 1;
                OperationConfig acts = {activation}, normalises = {norm};
                acts.negative_slope = 0.3;
                normalises.affine = all.size() % 4 < 2;
                normalises.epsilon = 0.02;
                std::vector<OperationConfig> layers = {{"linear", all.size() % 3 == 0 ? 37U : 101U}};
                layers.push_back(is_before ? normalises : acts);
                layers.push_back(is_before ? acts : normalises);
                if (by_parts) {
                    const OperationConfig joining = test::layers("flatten 2").front();
                    layers.insert(layers.begin(), joining);
                    layers.push_back(joining);
                }
                layers.insert(layers.end(), {{"linear", 19}, acts, {"linear", 50}, normalises, {"linear"}});
                if (all.size() % 5 < 2) {
                    layers.push_back({norm});
                }
                all.push_back({activation + (is_before ? " behind " : " before ") + norm,
                               with_context(by_parts ? 4 : 3, 3, std::move(layers))});
            }
        }
    }
    return all;
}

// Values added by several residual connections, from the linear to the layer's result, some in the same layer, before
// and after norms of both kinds; all norms in one layer; positions; dropout in each place; tied weights.
std::vector<Network> residual_dropout_tied() {
    return {
        {"a value that three add",
         with_context(3, 3,
                      "linear 37, tanh, linear 37, batchnorm, tanh, residual 1, linear 37, residual 1, layernorm, "
                      "relu, linear 37, rmsnorm, residual 1, silu, linear")},
        {"what is not a result",
         with_context(3, 2,
                      "linear 53 -b, batchnorm, tanh, residual 0, linear 53, layernorm, sigmoid, residual 1, "
                      "linear 53, relu, rmsnorm, residual 5, linear 53, residual 3, batchnorm, gelu, linear")},
        {"all norms in one layer",
         with_context(3, 3,
                      "linear 19, rmsnorm, batchnorm, tanh, layernorm, linear 19, layernorm, batchnorm, residual 2, "
                      "rmsnorm, linear, layernorm")},
        {"positions",
         with_context(4, 5,
                      "flatten 2, linear 101, dropout 0.3, batchnorm, tanh, linear 101, relu, residual 4, flatten 2, "
                      "linear 50, tanh, linear")},
        {"dropout everywhere",
         with_context(3, 3,
                      "linear 50, dropout 0.1, linear 50, layernorm, dropout 0.5, gelu, residual 1, linear 50, relu, "
                      "residual 0, dropout 0.7, linear")},
        {"tied", with_context(3, 19, "linear 37, tanh, linear 19, relu, linear tied")},
        {"tied without a bias, with a norm",
         with_context(3, 50, "linear 50, batchnorm, tanh, linear -b tied, rmsnorm", 53)},
        {"a tied linear alone", with_context(1, 17, "linear tied")}};
}

// Every optimizer, with tied weights, norms and dropout.
std::vector<Network> optimizers() {
    std::vector<Network> all;
    const OptimizerConfig adamw = {.kind = OptimizerKind::adamw, .weight_decay = 0.1, .beta1 = 0.8, .beta2 = 0.9};
    for (const OptimizerConfig& optimizer :
         {OptimizerConfig{.weight_decay = 0.3}, OptimizerConfig{.momentum = 0.7},
          OptimizerConfig{.weight_decay = 0.2, .momentum = 0.6, .nesterov = true}, adamw,
          OptimizerConfig{.kind = OptimizerKind::adamw, .beta1 = 0, .epsilon = 1e-3}}) {
        for (const std::string last : {"linear", "linear tied"}) {
            Network& network = all.emplace_back();
            network.name = "optimizer " + std::to_string(all.size());
            network.config =
                with_context(3, 19, "linear 53, batchnorm, tanh, dropout 0.2, linear 19, layernorm, " + last);
            network.config.optimizer = optimizer;
        }
    }
    return all;
}

std::vector<std::vector<Network>> all_networks() {
    return {by_parts(), activations_and_norms(), residual_dropout_tied(), optimizers()};
}

std::vector<View> run(Model& implementation, const networks::Example& example) {
    implementation.load(example.state);
    implementation.run(example.batch(), kRate);
    return implementation.views();
}

// Calls visit(example) for each network with so few rows that no two need share a character, and with so many that the
// fused step computes by character and splits them into chunks.
template <class Visit>
void for_each_example(const std::vector<Network>& networks, Visit visit) {
    unsigned seed = 0;
    for (const Network& network : networks) {
        for (const std::size_t rows : {5U, 9U, 141U}) {
            INFO(network.name << ", rows " << rows);
            visit(networks::make(network.config, rows, ++seed));
        }
    }
}

void check_pieces(const networks::Example& example) {
    const auto implementation_of = [&](Graph graph) {
        std::erase_if(graph.forward, [](const Step& step) { return step.makes == "counts"; });
        return make_step_model(std::move(graph), Keep::all);
    };
    const std::unique_ptr<Model> one_by_one = implementation_of(fused_pieces(example.config, example.rows));
    const std::unique_ptr<Model> fused =
        make_hand_model(HandForm::fused, example.config, example.rows, {.keep = Keep::all});
    const std::vector<View> expected = run(*one_by_one, example);
    std::size_t compared = 0;
    for (const View& view : run(*fused, example)) {
        INFO(view.name);
        const View* same = find(expected, view.name);
        REQUIRE(same != nullptr);
        CHECK(test::same_bytes(*same, view));
        ++compared;
    }
    CHECK(compared >= 2 * example.state.table().size() + parameters(example.config).size() + 2);
}

// Within a few roundings of the largest number of each tensor.
void check_double(const networks::Example& example) {
    const auto known =
        make_hand_model(HandForm::stepwise, example.config, example.rows, {.keep = Keep::all, .dtype = DType::float64});
    const auto fused = make_hand_model(HandForm::fused, example.config, example.rows, {.keep = Keep::all});
    const std::vector<View> expected = run(*known, example);
    for (const View& view : run(*fused, example)) {
        INFO(view.name);
        const View* right = find(expected, view.name);
        REQUIRE(right != nullptr);
        REQUIRE(right->shape == view.shape);
        double size = 0, off = 0;
        for (std::size_t i = 0; i < count(view.shape); ++i) {
            size = std::max(size, std::abs(value_at(*right, i)));
            const double here = std::abs(value_at(view, i) - value_at(*right, i));
            off = std::isnan(off) || off >= here ? off : here;  // a NaN is kept
        }
        CHECK(off <= 2e-5 * size + 1e-6);
    }
}

void check_threads(const networks::Example& example) {
    std::vector<Tensors<float>> states;
    for (const Keep keep : {Keep::needed, Keep::all}) {
        for (const std::size_t threads : {1, 2, 3}) {
            Fused fused(example.config, example.rows, keep, threads);
            fused.load(example.state);
            for (int step = 0; step < 3; ++step) {
                fused.run(example.batch(), kRate);
                fused.commit();
            }
            states.push_back(fused.state());
            CHECK(test::first_different(states.back(), states.front()) == "");
        }
    }
}

}  // namespace

TEST_CASE("fused patterns: equal their pieces in sequence, to the bit, with every convention of a batch norm too") {
    std::vector<std::vector<Network>> all = all_networks();
    for (const networks::PlacedNorm& norm : networks::norms()) {
        for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{37}, {19, 5}}) {
            Network& network = all.front().emplace_back(Network{"small", networks::small(hidden)});
            networks::put(network.config, norm);
        }
    }
    for (const auto& networks : all) {
        for_each_example(networks, [](const networks::Example& example) {
            if (!pays_by_character(example.config, example.rows)) {  // the pieces compute row by row
                check_pieces(example);
            }
        });
    }
}

TEST_CASE("fused patterns: equal the stepwise network in double") {
    for (const auto& networks : all_networks()) {
        for_each_example(networks, check_double);
    }
}

TEST_CASE("fused patterns: equal the stepwise network in double, on every vector type") {
    for (const auto& networks : all_networks()) {
        for (const Network& network : networks) {
            INFO(network.name);
            targets::for_each([&] { check_double(networks::make(network.config, 33)); });
        }
    }
}

TEST_CASE("fused patterns: their pieces use kernels") {
    const NetworkConfig config = with_context(3, 2, "linear 5, layernorm, silu, linear, rmsnorm");
    const Graph pieces = fused_pieces(config, 7);
    std::map<std::string, std::string> functions;
    for (const Step* step : all_steps(pieces)) {
        functions[step->makes] = step->in_float.name;
    }
    CHECK(functions["lnmean"] == "simd::row_norm_forward");
    CHECK(functions["lnvar"] == "simd::row_norm_forward");
    CHECK(functions["rmsmean"] == "simd::row_norm_forward");
    CHECK(functions["h"] == "simd::activation_forward");
    CHECK(functions["dhpreact"] == "simd::activation_backward");
    CHECK(functions["dlngain"] == "simd::norm_sums");
    CHECK(functions["dlnbias"] == "simd::norm_sums");
    CHECK(functions["drmsgain"] == "simd::norm_sums");
    CHECK(functions["dhpreln"] == "simd::row_norm_backward");
    CHECK(functions["dhprerms"] == "simd::row_norm_backward");
}

TEST_CASE("fused patterns: the same bytes on any number of threads, whatever is kept") {
    for (const auto& networks : all_networks()) {
        for_each_example(networks, check_threads);
    }
}

TEST_CASE("fused patterns: an operation that only has steps is not supported") {
    NetworkConfig config = with_context(3, 2, "linear 5, relu, layernorm, rmsnorm, linear");
    CHECK(has_fused_step(config));
    config.layers[1].op = config.layers[3].op = "an operation from outside";
    CHECK(!has_fused_step(config));
    CHECK(operations_without_fused_step(config) == std::set<std::string>{"an operation from outside"});
}
