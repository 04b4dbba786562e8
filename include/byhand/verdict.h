// The result of a comparison, in one word.
#pragma once

#include <array>
#include <string>

namespace byhand {

// In the order of their names in to_string.
enum class Verdict {
    exact,                 // equal to the reference to the bit, or without any error
    within,                // no element's error exceeds its limit, and every limit is informative
    zero_within_rounding,  // zero in exact arithmetic: both consist of rounding errors
    mismatch,              // an error exceeds its limit
    less_accurate,         // likewise, but by rounding, which the computation amplifies more than the reference does
    non_finite,            // an unexpected NaN or infinity
    shape,                 // shapes or element types differ
    missing,               // one of the two does not exist
    unwritten,             // an element was never written
    vacuous,               // all zero, or all equal, in both: a wrong computation could produce the same
    out_of_range,          // float may underflow or overflow here, or divide by a variance of zero
    undecided,             // within, but the limits of some elements are too wide to be informative
    not_given,             // external values may be incomplete
};

// As in reports: "non-finite", "zero within rounding".
std::string to_string(Verdict verdict);

// exact, within and zero_within_rounding; nothing else is agreement.
bool agrees(Verdict verdict);

// Neither agreement nor contradiction: undecided (the isolated steps decide) and not_given.
bool contradicts(Verdict verdict);

// Not agreement, but no evidence of a mistake either.
inline constexpr std::array kShowNothing = {Verdict::vacuous, Verdict::out_of_range};
bool shows_nothing(Verdict verdict);

// Whether it proves the computation wrong: it contradicts, and is not inconclusive.
bool fails(Verdict verdict);

}  // namespace byhand
