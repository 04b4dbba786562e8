// What a comparison shows, in one word.
#pragma once

#include <array>
#include <string>

namespace byhand {

// In the order of their names in to_string.
enum class Verdict {
    exact,                 // equal to the reference to the bit, or without any error
    within,                // no element's error exceeds its limit, and every limit says something
    zero_within_rounding,  // zero in exact arithmetic: both are nothing but rounding
    mismatch,              // an error exceeds its limit
    non_finite,            // a NaN or an infinity where there need be none
    shape,                 // shapes or element types differ
    missing,               // one of the two does not exist
    unwritten,             // an element was never written
    vacuous,               // all zero, or all equal, on both sides: a wrong computation could have made the same
    out_of_range,          // float may under- or overflow here, or divide by a variance of zero
    undecided,             // within, but some elements' limits are too wide to say anything
    not_given,             // external values need not be all
};

// As it stands in reports: "non-finite", "zero within rounding".
std::string to_string(Verdict verdict);

// exact, within and zero_within_rounding; nothing else is agreement.
bool agrees(Verdict verdict);

// Neither agreement nor one of those that contradict nothing: undecided (the isolated steps decide) and not_given.
bool contradicts(Verdict verdict);

// Not agreement, but no sign of a mistake either.
inline constexpr std::array kShowNothing = {Verdict::vacuous, Verdict::out_of_range};
bool shows_nothing(Verdict verdict);

// Whether it shows that what was computed is wrong: it contradicts, and does not show nothing.
bool fails(Verdict verdict);

}  // namespace byhand
