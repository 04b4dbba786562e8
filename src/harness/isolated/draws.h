// Values drawn for a step to read: real data satisfy identities and have their usual sizes, and both hide mistakes.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"
#include "steps/value_range.h"

namespace byhand {

enum class Drawn {
    random,       // magnitudes from 1/16 to 1, of either sign
    small,        // the same times 2^-20
    large,        // times 2^20
    minute,       // times 2^-100
    vast,         // times 2^40
    huge,         // times 2^60: products of two are still floats
    enormous,     // times 2^118, of which sums of some hundreds are finite: rows alternately all negative and of either
                  // sign
    close,        // a thousand and a few millionths of it, so that differences are small
    octaves,      // each binary exponent from −10 to 10 in turn, on both signs
    all_octaves,  // from −40 to 40
    differences,  // lines along an axis, whose elements lie below one of them, or above, by each exponent in turn
    all_differences,  // from −40 to 40, where that one is 0
    special,          // ±0, subnormal numbers, the ends of the range and their neighbours, where exp and tanh saturate
    lines,            // lines along an axis that are all negative, all equal, one-hot, have two maxima, ...
    nan,              // a NaN at every 32nd place, at random, the other values being random
    infinite,         // ±∞ instead, where the range has no end
    every,            // indices: each in turn
    first,            // indices: all 0
    last,             // indices: all the last
    first_in_row,     // indices: 0 in one row only: the first, a middle or the last
    last_in_row,      // indices: the last index in one row only
};

// The first row, a middle one and the last: each is the one of first_in_row and last_in_row in turn.
inline constexpr std::size_t kRowsInTurn = 3;

struct Draw {
    Drawn how = Drawn::random;
    // The only value drawn in this way, while the others are random; empty: all.
    std::string only = {};
    // The first of what is taken in turn: of Drawn::every an index, of octaves and differences an exponent and a sign,
    // of lines a kind; of Drawn::special, in a single value, a number. Of first_in_row and last_in_row: one of
    // kRowsInTurn.
    std::size_t from = 0;
    bool gradients = false;  // only gradients are drawn in this way, while the other values are random
    std::size_t axis = 0;    // of lines and differences, from the last; a value without this axis is random
};

// "rows all negative, equal, … in logits" of a Draw, for reports; empty for random.
std::string describe(const Draw& draw);

// The same with other `from`: together they have every octave, difference or kind of line in an array of this shape. If
// that takes more than `most`, as many, evenly spaced. None if the shape has no such lines.
std::vector<Draw> each_in_turn(Draw draw, const Shape& shape, std::size_t most);

// The number of special numbers for values of this range. A single value with fewer elements takes them in turn.
std::size_t special_numbers(const ValueRange& range);

// Values for `specs`, the same on every machine for the same seed. Numbers lie within their range, by name; `indices`
// names what contains indices below `vocabulary`. Values to which `draw` does not apply are random.
Tensors<double> draw(const std::vector<TensorSpec>& specs, const std::map<std::string, ValueRange>& ranges,
                     const Draw& draw, std::size_t vocabulary, std::uint64_t seed,
                     const std::set<std::string>& indices = {"X", "Y"});

// Adds digits beyond a float's precision: each number still rounds to the same float. Equal numbers stay equal; numbers
// with few digits, zeros and subnormal numbers are unchanged. A function in double that reads its operands as floats
// has another result on these.
Tensors<double> with_digits_of_doubles(Tensors<double> values);

}  // namespace byhand
