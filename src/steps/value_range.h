// Ranges of the elements of a value.
#pragma once

#include <limits>

namespace byhand {

// From `low` to `high`, inclusive: a tanh lies in [−1, 1], a probability in [0, 1].
struct ValueRange {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
};

inline constexpr ValueRange kNotNegative{.low = 0};
inline constexpr ValueRange kNotPositive{.high = 0};
// For a norm's variance or mean square, and for its inverse root. Third powers of values outside overflow.
inline constexpr ValueRange kVariance{0, 0x1p80};
inline constexpr ValueRange kInverseDeviation{0x1p-64, 0x1p64};

}  // namespace byhand
