// The pieces of the fused network that can be run alone: they are the fused network, none is left out unseen.
#include "manual/pieces.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <map>

#include "base/side.h"
#include "manual/models.h"
#include "manual/networks.h"

using namespace byhand;

namespace {

std::map<std::string, std::string> functions_of(const NetworkConfig& config) {
    const StepNetwork<float> pieces = fused_pieces<float>(config, 7);
    std::map<std::string, std::string> functions;
    for (const Step<float>* step : all_steps(pieces)) {
        functions[step->makes] = step->function;
    }
    return functions;
}

}  // namespace

TEST_CASE("each piece is by the kernel, if there is one, or by the fused network's formula") {
    NetworkConfig config;
    config.hidden = {5};
    config.hidden_bias = false;  // a product without a bias is by the same kernel as one with it
    config.norm.place = NormPlace::after;
    std::map<std::string, std::string> functions = functions_of(config);
    const std::map<std::string, std::string> expected = {{"hpreact", "simd::linear_forward"},
                                                         {"hprebn", "simd::tanh_forward"},
                                                         {"bnvar", "batchnorm_variance_of_differences"},
                                                         {"logits", "simd::linear_forward"},
                                                         {"counts", "simd::exp_forward"},
                                                         {"loss", "simd::cross_entropy_with_gradient"},
                                                         {"dlogits", "simd::cross_entropy_with_gradient"},
                                                         {"dh", "simd::linear_input_backward"},
                                                         {"dW2", "simd::linear_weight_backward"},
                                                         {"dhprebn", "batchnorm_affine_backward"},
                                                         {"dhpreact", "tanh_backward"},
                                                         {"dembcat", "simd::linear_input_backward"},
                                                         {"dW1", "simd::linear_weight_backward"}};
    for (const auto& [name, function] : expected) {
        INFO(name);
        CHECK(functions[name] == function);
    }
    config.norm.affine = false;
    CHECK(functions_of(config)["dhprebn"] == "batchnorm_backward");
}

TEST_CASE("the pieces one after another make what the fused network makes, to the bit") {
    for (const std::vector<std::size_t>& hidden : {std::vector<std::size_t>{37}, {19, 5}}) {
        for (const NormConfig& norm : networks::norms()) {
            NetworkConfig config = networks::small(hidden);
            config.norm = norm;
            const networks::Example example = networks::make(config, 9);
            StepNetwork<float> pieces = fused_pieces<float>(config, 9);
            std::erase_if(pieces.forward.steps(), [](const Step<float>& step) { return step.makes == "counts"; });
            const std::unique_ptr<Side> one_by_one = make_step_side(pieces);
            const std::unique_ptr<Side> fused = make_hand_side(HandForm::fused, config, 9, DType::float32);
            for (Side* side : {one_by_one.get(), fused.get()}) {
                side->load(example.state);
                side->run(example.batch(), 0.1F);
            }
            const std::vector<View> expected = one_by_one->views();
            std::size_t compared = 0;
            for (const View& view : fused->views()) {
                INFO(view.name);
                const View* same = find(expected, view.name);
                REQUIRE(same != nullptr);
                REQUIRE(same->shape == view.shape);
                CHECK(std::memcmp(same->data, view.data, count(view.shape) * sizeof(float)) == 0);
                ++compared;
            }
            CHECK(compared >= 3 * example.state.table().size() + 2);
        }
    }
}
