// Values drawn for a step to read: real data satisfy identities and have their usual sizes, and both hide mistakes.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/network.h"
#include "harness/isolated/values.h"
#include "steps/value_range.h"

namespace byhand {

enum class Drawn {
    random,    // magnitudes from 1/16 to 1, of either sign
    small,     // the same times 2^-20
    large,     // times 2^20
    minute,    // times 2^-100
    vast,      // times 2^40
    huge,      // times 2^60: products of two are still floats
    enormous,  // times 2^118, of which sums of some hundreds are finite: rows alternately all negative and of either
               // sign
    close,     // a thousand and a few millionths of it, so that differences are small
    spread,    // magnitudes from 2^-20 to 2^20
    special,   // ±0, subnormal numbers, the ends of the range and their neighbours, where exp and tanh saturate
    rows,      // a matrix whose rows are all negative, all equal, one-hot, have two maxima, ...
    columns,   // the same down its columns
    every,     // indices: each in turn
    first,     // indices: all 0
    last,      // indices: all the last
};

struct Draw {
    Drawn how = Drawn::random;
    // The only value drawn in this way, while the others are random; empty: all.
    std::string only = {};   // NOLINT(readability-redundant-member-init): optional
    std::size_t from = 0;    // of Drawn::every: the first index; of Drawn::special in a single value: the first number
    bool gradients = false;  // only gradients are drawn in this way, while the other values are random
};

// "logits by rows: all negative, all equal, ..." of a Draw, for reports; empty for random.
std::string describe(const Draw& draw);

// The number of special numbers for values of this range. A single value with fewer elements takes them in turn.
std::size_t special_numbers(const ValueRange& range);

// Values for `specs`, the same on every machine for the same seed. Numbers lie within their range, by name; `indices`
// names what contains indices below `vocabulary`. Values to which `draw` does not apply are random.
Values draw(const std::vector<TensorSpec>& specs, const std::map<std::string, ValueRange>& ranges, const Draw& draw,
            std::size_t vocabulary, std::uint64_t seed, const std::set<std::string>& indices = {"X", "Y"});

}  // namespace byhand
