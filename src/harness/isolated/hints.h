// What the structure of an error tells about its cause.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/network.h"

namespace byhand {

// How `ours` differs from the right `answer`: by one factor ("off by the factor 31/32 = (n − 1)/n: n against n − 1"),
// by its sign, as its transpose, shifted by a row, only in one place ("only the last row is off"). Empty where nothing
// is seen, where no element is off, or where one is not finite. `limits` are what rounding may come to, an element
// each; `n` is the number of rows of a batch of `network`. Precondition: as many elements each as the shape has.
std::string hint(std::span<const double> ours, std::span<const double> exact, std::span<const double> limits,
                 const Shape& shape, const NetworkConfig& network, std::size_t n);

// Whether `ours` is `expected` but for rounding, and much nearer to it than to the answer. False where an element is
// not finite. Precondition: as many elements each.
bool explains(std::span<const double> expected, std::span<const double> ours, std::span<const double> exact,
              std::span<const double> limits);

}  // namespace byhand
