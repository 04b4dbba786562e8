// Limits of rounding by evaluations with random rounding.
#pragma once

#include <string>
#include <vector>

#include "byhand/reference.h"

namespace byhand {

// A value in double, and for each element how far a right computation in float may be off: the error (root mean square)
// of evaluations in float, all but one with random rounding, times Student's t at a probability of 1e-12, and at least
// one unit in the last place. Infinite where an evaluation leaves the range of float.
struct Sampled {
    Computed exact;
    std::vector<double> limits;
    // Elements whose class counts: NaN and ±∞ that no overflow makes, and ±0 of a copy.
    std::vector<bool> of_class;
    // How far the value in double may be off, from evaluations in double with random rounding. Empty or 0 without
    // these.
    std::vector<double> in_double = {};
};

// The limits of results of this type, from those of float. In double: times the ratio of the units, with the rounding
// of the reference, which is in double as well, and no less than the spread of evaluations in double; what double may
// flush to zero is not told from it. Of 16 bits: with the rounding of the result; infinite if that may leave the type's
// range.
std::vector<double> limits_in(DType type, const Sampled& right, std::vector<double> limits);

// All that `evaluate` computes from the inputs. Throws what it throws, and std::invalid_argument if the values in
// double or any shapes differ between evaluations.
std::vector<Sampled> sampled(const Evaluate& evaluate, const std::vector<View>& inputs);

// For a function in double: replaces the exact values by those of these inputs, and samples the rounding in double.
void sample_in_double(const Evaluate& evaluate, const std::vector<View>& inputs, std::vector<Sampled>& all);

// The value of that name. Throws std::invalid_argument if there is none.
const Sampled& find_sampled(const std::vector<Sampled>& all, const std::string& name);

}  // namespace byhand
