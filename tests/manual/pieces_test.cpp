// Which steps of the fused network can be run alone: none may be left out unseen.
#include "manual/pieces.h"

#include <catch2/catch_test_macros.hpp>
#include <map>

using namespace byhand;

namespace {

std::map<std::string, std::string> functions_of(const NetworkConfig& config) {
    const StepNetwork<float> pieces = fused_pieces(config, 7);
    std::map<std::string, std::string> functions;
    for (const Step<float>* step : all_steps(pieces)) {
        functions[step->makes] = step->function;
    }
    return functions;
}

}  // namespace

TEST_CASE("every kernel's step is a piece of the fused network, by that kernel") {
    NetworkConfig config;
    config.hidden = {5, 3};
    config.hidden_bias = false;  // a product without a bias is by the same kernel as one with it
    config.norm.place = NormPlace::after;
    CHECK(functions_of(config) == std::map<std::string, std::string>{{"hpreact.1", "simd::linear_forward"},
                                                                     {"hprebn.1", "simd::tanh_forward"},
                                                                     {"hpreact.2", "simd::linear_forward"},
                                                                     {"hprebn.2", "simd::tanh_forward"},
                                                                     {"logits", "simd::linear_forward"},
                                                                     {"counts", "simd::exp_forward"},
                                                                     {"dh.2", "simd::linear_input_backward"},
                                                                     {"dW3", "simd::linear_weight_backward"},
                                                                     {"dh.1", "simd::linear_input_backward"},
                                                                     {"dW2", "simd::linear_weight_backward"},
                                                                     {"dembcat", "simd::linear_input_backward"},
                                                                     {"dW1", "simd::linear_weight_backward"}});
}
