// How a kernel's inputs are drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/isolated/draws.h"
#include "harness/isolated/values.h"

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
std::string inputs_at(const Values& values, const std::vector<std::string>& names, const Shape& result,
                      std::size_t position);

}  // namespace byhand
