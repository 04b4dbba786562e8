// Numbers in JSON, which has none that are not finite.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

namespace byhand::report {

// The number, or "nan", "inf", "-inf".
inline nlohmann::ordered_json number(double value) {
    if (std::isnan(value)) {
        return "nan";
    }
    if (std::isinf(value)) {
        return value > 0 ? "inf" : "-inf";
    }
    return value;
}

// Null where it is not known.
inline nlohmann::ordered_json number(const std::optional<double>& value) {
    return value ? number(*value) : nlohmann::ordered_json();
}

}  // namespace byhand::report
