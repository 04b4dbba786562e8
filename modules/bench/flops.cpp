#include "bench/budget.h"

namespace byhand::bench {

double step_flops(const NetworkConfig& config, std::size_t rows) {
    constexpr double kProducts = 3;
    double flops = 0;
    for (const Layer& layer : layers(config)) {
        flops += kProducts * product_flops(rows * layer.positions, layer.inputs, layer.outputs);
    }
    return flops;
}

}  // namespace byhand::bench
