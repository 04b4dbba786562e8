// What a kernel is tried on: values, shapes beside those given, places where the reference jumps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/tensors.h"
#include "byhand/shape.h"
#include "harness/isolated/draws.h"

namespace byhand {

// Whatever is drawn all at once, and in one of these inputs while the others are random.
std::vector<Draw> draws_of(const std::vector<TensorSpec>& inputs);

// Kinds of integers: random, each in turn, or all the smallest or the largest. Trials take one after the other.
constexpr std::size_t kKindsOfIntegers = 4;
// "", ", every integer in turn" …
const char* describe_integers(std::size_t trial);
// From `low` to `high`, of the kind of this trial.
std::vector<std::int64_t> integers_of(std::size_t elements, std::int64_t low, std::int64_t high, std::size_t trial,
                                      std::uint64_t seed);

// The inputs that belong to one element of a result: "x[3, 0] = 1.5, gain[0] = 2", and of those that have one axis more
// the first of its line, "x[3, :] = 1, 0.5, 2, 7, …". An input whose shape has nothing to do with that of the result is
// left out.
std::string inputs_at(const Tensors<double>& values, const std::vector<std::string>& names, const Shape& result,
                      std::size_t position);

// Shapes beside those that a check is given, which show mistakes of other sizes: a tail, a lost carry, a single row.

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

// ---- Where a function decides: the numbers at which it jumps or bends ----

// The results of a function of one number, in double; as many for every number.
using OfOneNumber = std::function<std::vector<double>(double)>;

// Floats at which f jumps (a rounding, a threshold) or its slope does (a ReLU, a clamp), between -256 and 256, in
// ascending order and at most `most`, taken evenly where there are more. An interval is divided, and the part that
// bends more is divided again: by how much it bends falls with its length at a kink, not at all at a jump, and with the
// square of its length where f is smooth.
std::vector<float> places_of(const OfOneNumber& f, std::size_t most);

// Two of three numbers are one of the places or a float beside it, in turn from number `from` of these on; the others
// remain.
std::vector<double> numbers_at(const std::vector<float>& places, std::vector<double> numbers, std::size_t from);

}  // namespace byhand
