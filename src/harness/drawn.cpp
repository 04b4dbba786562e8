#include "harness/drawn.h"

#include <cmath>
#include <numbers>
#include <random>

namespace byhand {
namespace {

class Draw {
public:
    explicit Draw(std::uint64_t seed) : generator_(seed) {}

    // Uniform in [low, high); the same on every machine.
    float between(double low, double high) {
        const double unit = static_cast<double>(generator_() >> 11) * 0x1p-53;
        return static_cast<float>(low + (high - low) * unit);
    }
    bool coin() { return (generator_() >> 63) != 0; }

private:
    std::mt19937_64 generator_;
};

}  // namespace

Tensors<float> drawn_state(const NetworkConfig& config, std::uint64_t seed) {
    Draw draw(seed);
    Tensors<float> state(byhand::state(config));
    for (const TensorSpec& spec : state.table()) {
        const auto starts = [&](const char* with) { return spec.name.starts_with(with); };
        for (float& value : state[spec.name]) {
            if (starts("C")) {
                value = draw.between(-std::numbers::sqrt3, std::numbers::sqrt3);
            } else if (starts("W")) {
                const double bound = 5.0 / 3 * std::sqrt(3 / static_cast<double>(spec.shape[0]));
                value = draw.between(-bound, bound);
            } else if (starts("bngain") || starts("bnvar_running")) {
                value = draw.coin() ? draw.between(0.5, 0.75) : draw.between(1.25, 1.5);
            } else {
                const float magnitude = draw.between(0.125, 0.5);
                value = draw.coin() ? magnitude : -magnitude;
            }
        }
    }
    return state;
}

}  // namespace byhand
