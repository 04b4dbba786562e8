// Shapes beside those that a check is given, which show mistakes of other sizes: a tail, a lost carry, a single row.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "byhand/shape.h"

namespace byhand {

// An extent of the inputs of one of the given cases, wherever it stands.
struct TiedExtent {
    std::size_t beside = 0;  // index of the case
    std::size_t value = 0;
    std::vector<std::pair<std::size_t, std::size_t>> places;  // an input, and its axis
};

// The extents of two or more, which may vary, at most six. Those that are equal in all cases of the same ranks are one.
// They belong to the smallest of these cases that has at least three of everything, if there is one. Extents of 0 and 1
// stay: they may be broadcast.
std::vector<TiedExtent> tied_extents(const std::vector<std::vector<Shape>>& cases);

// What an extent becomes: 1, 2, one less, one more, a multiple of 64 and one more than that, in ascending order.
std::vector<std::size_t> extents_near(std::size_t value);

// The shapes with another extent in these places.
std::vector<Shape> with_extent(std::vector<Shape> inputs, const TiedExtent& extent, std::size_t to);

std::size_t elements_of(const std::vector<Shape>& inputs);

}  // namespace byhand
