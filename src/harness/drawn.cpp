#include "harness/drawn.h"

#include <cmath>
#include <random>
#include <string>

#include "base/value.h"

namespace byhand {
namespace {

struct Magnitudes {
    float low, high;
    bool positive;  // else of either sign
};

Magnitudes magnitudes_of(const TensorSpec& spec) {
    const std::string base = value_of(spec.name).base;
    if (role_of(base) == kept::kSquare) {
        return {0x1p-10F, 0x1p-8F, true};
    }
    if (base.ends_with("gain") || base == "bnvar_running") {
        return {1.1F, 1.9F, true};
    }
    const bool matrix = spec.shape.size() == 2;
    const float fan_in = matrix && spec.name != "C" ? static_cast<float>(spec.shape[0]) : 1;
    return {matrix ? 0.1F / std::sqrt(fan_in) : 0.1F, matrix ? 1.6F / std::sqrt(fan_in) : 0.6F, false};
}

}  // namespace

Tensors<float> drawn_state(const NetworkConfig& config, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    const auto uniform = [&] { return static_cast<float>(generator() >> 40) * 0x1p-24F; };  // [0, 1), on every machine
    Tensors<float> state(byhand::state(config));
    for (const TensorSpec& spec : state.table()) {
        if (spec.name == kept::kStepCount) {
            state[spec.name][0] = static_cast<float>(2 + generator() % 7);
            continue;
        }
        if (value_of(spec.name).base == "maskkey") {
            state[spec.name][0] = static_cast<float>(generator() >> 40);
            continue;
        }
        const auto [low, high, positive] = magnitudes_of(spec);
        for (float& value : state[spec.name]) {
            const float magnitude = low + (high - low) * uniform();
            value = !positive && (generator() >> 63) != 0 ? -magnitude : magnitude;
        }
    }
    return state;
}

}  // namespace byhand
