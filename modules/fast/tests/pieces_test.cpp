// The pieces of the fused network that can run in isolation: together they are the fused network, and none is omitted.
#include "fast/pieces.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "base/change_network.h"
#include "base/model.h"
#include "fast/models.h"
#include "fast/simd/targets.h"
#include "fast/tests/layers.h"
#include "manual/models.h"
#include "manual/networks.h"
#include "manual/stepwise.h"

using namespace byhand;

namespace {

std::map<std::string, std::string> functions_of(const NetworkConfig& config) {
    const Graph pieces = fused_pieces(config, 7);
    std::map<std::string, std::string> functions;
    for (const Step* step : all_steps(pieces)) {
        functions[step->makes] = step->in_float.name;
    }
    return functions;
}

}  // namespace

TEST_CASE("pieces: each uses the kernel, if there is one, or the fused network's formula") {
    NetworkConfig config;
    test::set(config, &ShortForm::hidden, {5});
    test::set(config, &ShortForm::hidden_bias, false);  // a product without a bias uses the same kernel as one with it
    test::set(config, &ShortForm::norm_place, "after");
    std::map<std::string, std::string> functions = functions_of(config);
    const std::map<std::string, std::string> expected = {{"emb", "simd::embedding_forward"},
                                                         {"hpreact", "simd::linear_forward"},
                                                         {"hprebn", "simd::tanh_forward"},
                                                         {"bnmeani", "simd::batchnorm_forward"},
                                                         {"bndiff", "batchnorm_difference"},
                                                         {"bnvar", "batchnorm_variance_of_differences"},
                                                         {"bnvar_inv", "batchnorm_inverse_deviation"},
                                                         {"bnraw", "batchnorm_normalise"},
                                                         {"h", "batchnorm_scale_shift"},
                                                         {"logits", "simd::linear_forward"},
                                                         {"counts", "simd::exp_forward"},
                                                         {"loss", "simd::cross_entropy_with_gradient"},
                                                         {"dlogits", "simd::cross_entropy_with_gradient"},
                                                         {"dh", "simd::linear_input_backward"},
                                                         {"dW2", "simd::linear_weight_backward"},
                                                         {"db2", "simd::sum_rows"},
                                                         {"dbngain", "simd::batchnorm_backward"},
                                                         {"dbnbias", "simd::batchnorm_backward"},
                                                         {"dhprebn", "batchnorm_affine_backward"},
                                                         {"dhpreact", "simd::tanh_backward"},
                                                         {"dembcat", "simd::linear_input_backward"},
                                                         {"dW1", "simd::linear_weight_backward"},
                                                         {"dC", "simd::embedding_backward"},
                                                         {"new_W1", "simd::descend"},
                                                         {"new_bnmean_running", "running_mean_update"}};
    for (const auto& [name, function] : expected) {
        INFO(name);
        CHECK(functions[name] == function);
    }
    config.norm.affine = false;
    CHECK(functions_of(config)["dhprebn"] == "simd::batchnorm_backward");
    CHECK(functions_of(config)["h"] == "batchnorm_normalise");
}

TEST_CASE("pieces: all kernels of the fused step are among them, on every vector type") {
    NetworkConfig config = networks::small({5});
    test::set(config, &ShortForm::norm_place, "before");
    const Graph pieces = fused_pieces_on_all_targets(config, 7);
    std::set<std::string> found, expected;
    for (const Step* step : all_steps(pieces)) {
        if (step->in_float.name.starts_with("simd::")) {
            found.insert(step->in_float.name);
        }
    }
    for (const simd::Target& target : simd::targets()) {
        for (const char* kernel :
             {"embedding_forward", "look_up_by_character", "linear_forward", "tanh_forward", "batchnorm_forward",
              "batchnorm_tanh_forward", "exp_forward", "cross_entropy_with_gradient", "linear_input_backward",
              "linear_weight_backward", "linear_descend", "sum_rows", "tanh_backward", "batchnorm_backward",
              "batchnorm_tanh_backward", "embedding_backward", "sum_by_character", "descend"}) {
            expected.insert(std::string("simd::") + kernel + " (" + target.name + ")");
        }
    }
    CHECK(found == expected);
}

TEST_CASE(
    "pieces: the kernel of a norm joined with tanh is one in every layer that has it, whatever the first norm is") {
    const NetworkConfig config = with_layers(
        networks::small({5}), test::layers("linear 6, tanh, batchnorm, linear 5, batchnorm, tanh, linear, batchnorm"));
    const Graph pieces = fused_pieces_on_all_targets(config, 7);
    std::set<std::string> joined, alone;
    for (const Step* step : all_steps(pieces)) {
        if (step->in_float.name.starts_with("simd::batchnorm_tanh_")) {
            joined.insert(step->makes);
        } else if (step->in_float.name.starts_with("simd::batchnorm_")) {
            alone.insert(step->makes);
        }
    }
    CHECK(joined == std::set<std::string>{"bnmeani.2", "dbngain.2", "dbnbias.2"});
    for (const char* layer : {".1", ".2", ".3"}) {
        CHECK(alone.contains(std::string("bnmeani") + layer));
        CHECK(alone.contains(std::string("dbngain") + layer));
    }
}

// The harness checks them on values of every kind.
TEST_CASE("pieces: each kernel equals the formula on the same inputs, on every vector type") {
    for (const std::size_t rows : {2U, 4U, 9U, 30U}) {
        for (const networks::PlacedNorm& norm : networks::norms()) {
            NetworkConfig config = networks::small({19, 5});
            networks::put(config, norm);
            INFO(networks::describe(config, rows));
            const networks::Example example = networks::make(config, rows);
            const Graph formulas = fused_graph(config, rows);
            const std::unique_ptr<Model> implementation = make_step_model(formulas, Keep::all);
            implementation->load(example.state);
            implementation->run(example.batch(), 0.1F);
            const std::vector<View> values = implementation->views();
            const float rate = 0.1F;
            const auto operand = [&](const std::string& name) -> Operand<float> {
                return name == "X"      ? Operand<float>(example.X.data())
                       : name == "Y"    ? Operand<float>(example.Y.data())
                       : name == "rate" ? Operand<float>(&rate)
                                        : Operand<float>(static_cast<const float*>(find(values, name)->data));
            };
            const Graph pieces = fused_pieces_on_all_targets(config, rows);
            for (const Step* step : all_steps(pieces)) {
                const View* right = find(values, step->makes);
                if (right == nullptr) {  // counts
                    continue;
                }
                std::vector<float> made(count(step->shape));
                execute(*step, made.data(), operand);
                const std::span<const float> expected(static_cast<const float*>(right->data), made.size());
                float size = 0, off = 0;
                for (std::size_t i = 0; i < made.size(); ++i) {
                    size = std::max(size, std::abs(expected[i]));
                    off = std::max(off, std::abs(made[i] - expected[i]));
                }
                INFO(step->makes << " by " << step->in_float.name);
                CHECK(off <= 1e-5F * size + 1e-7F);  // two normalised rows may be almost 0
            }
        }
    }
}
