#include "harness/drawn.h"

#include <cmath>
#include <random>
#include <string>

#include "base/value.h"

namespace byhand {

Tensors<float> drawn_state(const NetworkConfig& config, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    const auto uniform = [&] { return static_cast<float>(generator() >> 40) * 0x1p-24F; };  // [0, 1), on every machine
    Tensors<float> state(byhand::state(config));
    for (const TensorSpec& spec : state.table()) {
        const std::string base = value_of(spec.name).base;
        if (spec.name == kept::kStepCount) {
            state[spec.name][0] = static_cast<float>(2 + generator() % 7);
            continue;
        }
        if (role_of(base) == kept::kSquare) {
            for (float& value : state[spec.name]) {
                value = 0x1p-10F * (1 + 3 * uniform());
            }
            continue;
        }
        const bool positive = base.ends_with("gain") || base == "bnvar_running";
        const bool matrix = spec.shape.size() == 2;
        const float fan_in = matrix && spec.name != "C" ? static_cast<float>(spec.shape[0]) : 1;
        const float low = positive ? 1.1F : matrix ? 0.1F / std::sqrt(fan_in) : 0.1F;
        const float high = positive ? 1.9F : matrix ? 1.6F / std::sqrt(fan_in) : 0.6F;
        for (float& value : state[spec.name]) {
            const float magnitude = low + (high - low) * uniform();
            value = !positive && (generator() >> 63) != 0 ? -magnitude : magnitude;
        }
    }
    return state;
}

}  // namespace byhand
