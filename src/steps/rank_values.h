// All that a rank of a network in parts holds after a step, for comparison with what it should hold.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/tensors.h"
#include "steps/step.h"

namespace byhand {

struct PartValues {
    std::vector<std::int64_t> X, Y;
    Tensors<float> rows;    // the values with rows
    Tensors<float> shares;  // of each sum over the rows
};

struct RankValues {
    std::vector<PartValues> parts;  // the rank's own, in order
    Tensors<float> shared;          // the state, the rate and all values without rows
};

// The tables of a rank with the parts that these graphs are of, every element unwritten. `any` is the graph of any
// part.
RankValues rank_values(const Graph& any, std::span<const Graph> parts);

// All numbers one after the other; indices are exact up to 2²⁴.
std::vector<float> in_a_row(const RankValues& values);
// The reverse, into values with the same tables. Returns how many numbers it has read. Precondition: there are as many.
std::size_t read_row(RankValues& values, std::span<const float> row);

}  // namespace byhand
