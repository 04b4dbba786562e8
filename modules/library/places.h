// Where a function decides: the numbers at which it jumps or bends.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace byhand {

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
